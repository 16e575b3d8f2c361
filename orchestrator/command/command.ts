import type { FleetBackend } from '../fleet/fleet-backend.ts';
import { UsageFault } from '../errors.ts';
import type { Offline, OfflineFleet } from '../run/offline.ts';
import type { Reporter } from '../report/reporter.ts';
import type { Flags } from '../settings.ts';
import type { Output } from './output.ts';

/** What a command works with that needs its fleet and journal alone. */
export interface FleetContext {
  readonly offline: OfflineFleet;
  readonly reporter: Reporter;
  /** Where workers come from. */
  readonly workers: FleetBackend;
  /** Aborts at a signal. */
  readonly signal: AbortSignal;
}

/** What every other command works with. */
export interface CommandContext extends FleetContext {
  readonly offline: Offline;
  readonly flags: Flags;
  readonly output: Output;
}

/** The last line of the output. */
export type CommandResult = Readonly<Record<string, unknown>>;

export function runKeyOf({ flags, offline }: CommandContext): string | null {
  // A shell variable that is not set: whoever meant a run by it does not mean another.
  if (flags.runKey === '') throw new UsageFault('--run-key is empty: give a key, or leave the flag out');
  const given = flags.runKey ?? offline.environment.REINDEX_RUN_KEY;
  return typeof given === 'string' && given !== '' ? given : null;
}
