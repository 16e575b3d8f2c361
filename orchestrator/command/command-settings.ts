import { UsageFault } from '../errors.ts';
import { loadSettings, type Settings, type SettingsAbove } from '../settings.ts';
import { loadStackSettings } from '../stack-settings.ts';

/**
 * Loads the settings of a command. They come from the stack that `--stack` or REINDEX_STACK names, else from a file. A
 * flag comes before the environment.
 *
 * @throws UsageFault, Faults, RunFailed as `loadSettings` and `loadStackSettings`
 */
export async function commandSettings(above: SettingsAbove, signal: AbortSignal): Promise<Settings> {
  const stack = stackOf(above);
  if (stack !== null) return loadStackSettings(stack, above, signal);
  return loadSettings(above.flags, above.environment, above.workingFolder, above.needs);
}

/** The stack's name. Null when none is given. The command line refuses both flags at once. */
function stackOf({ flags, environment }: SettingsAbove): string | null {
  if (flags.stack === '') throw new UsageFault('--stack is empty: name a stack, or leave the flag out');
  if (typeof flags.stack === 'string') return flags.stack;
  const { REINDEX_STACK: stack = '', REINDEX_SETTINGS: file = '' } = environment;
  if (stack === '' || flags.settings !== undefined) return null;
  if (file !== '')
    throw new UsageFault('REINDEX_STACK and REINDEX_SETTINGS both say where settings are: keep one of them');
  return stack;
}
