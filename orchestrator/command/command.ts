import type { WorkersBackend } from '../run/context.ts';
import { UsageFault } from '../errors.ts';
import type { Offline } from '../run/offline.ts';
import type { Reporter } from '../report/reporter.ts';
import type { Flags } from '../settings.ts';
import type { Output } from './output.ts';

/** What every command works with. */
export interface CommandContext {
  readonly offline: Offline;
  readonly flags: Flags;
  readonly reporter: Reporter;
  readonly output: Output;
  /** Where workers come from. */
  readonly workers: WorkersBackend;
  /** Aborts at a signal. */
  readonly signal: AbortSignal;
}

/** The last line of the output. */
export type CommandResult = Readonly<Record<string, unknown>>;

export function runKeyOf({ flags, offline }: CommandContext): string | null {
  // A shell variable that is not set: whoever meant a run by it does not mean another.
  if (flags.runKey === '') throw new UsageFault('--run-key is empty: give a key, or leave the flag out');
  const given = flags.runKey ?? offline.environment.REINDEX_RUN_KEY;
  return typeof given === 'string' && given !== '' ? given : null;
}
