import { UsageFault } from '../errors.ts';
import { loadSettings, type Settings, type SettingsAbove } from '../settings.ts';
import { loadStackSettings } from '../stack-settings.ts';

/**
 * The settings of a command: those of the stack that `--stack` or REINDEX_STACK names, else from a file. A flag stands
 * over the environment.
 *
 * @throws UsageFault, Faults, RunFailed as `loadSettings` and `loadStackSettings`
 */
export async function commandSettings(above: SettingsAbove, signal: AbortSignal): Promise<Settings> {
  const stack = stackOf(above);
  if (stack !== null) return loadStackSettings(stack, above, signal);
  return loadSettings(above.flags, above.environment, above.workingFolder);
}

/** Null: no stack. Both flags at once the command line has refused. */
function stackOf({ flags, environment }: SettingsAbove): string | null {
  if (flags.stack === '') throw new UsageFault('--stack is empty: name a stack, or leave the flag out');
  if (typeof flags.stack === 'string') return flags.stack;
  const { REINDEX_STACK: stack = '', REINDEX_SETTINGS: file = '' } = environment;
  if (stack === '' || flags.settings !== undefined) return null;
  if (file !== '')
    throw new UsageFault('REINDEX_STACK and REINDEX_SETTINGS both say where settings are: keep one of them');
  return stack;
}
