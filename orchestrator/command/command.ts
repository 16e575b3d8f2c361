import type { FleetBackend } from '../fleet/fleet-backend.ts';
import { UsageFault } from '../errors.ts';
import type { Offline, OfflineFleet } from '../run/offline.ts';
import type { Reporter } from '../report/reporter.ts';
import type { Environment, Flags } from '../settings.ts';
import type { Output } from './output.ts';

/** What a command has that needs only its fleet and journal. */
export interface FleetContext {
  readonly offline: OfflineFleet;
  readonly reporter: Reporter;
  /** Where workers come from. */
  readonly workers: FleetBackend;
  /** Aborts at a signal. */
  readonly signal: AbortSignal;
}

/** What a command has that works from the journal alone. */
export interface RecordContext extends FleetContext {
  readonly flags: Flags;
}

/** What every other command has. */
export interface CommandContext extends RecordContext {
  readonly offline: Offline;
  readonly output: Output;
}

/** The last line of the output, as JSON. */
export type CommandResult = Readonly<Record<string, unknown>>;

export function runKeyOf({ flags, offline }: RecordContext): string | null {
  return runKeyIn(flags, offline.environment);
}

export function runKeyIn(flags: Flags, environment: Environment): string | null {
  // The key may come from a shell variable that is not set. Then no other run is meant by it.
  if (flags.runKey === '') throw new UsageFault('--run-key is empty: give a key, or leave the flag out');
  const given = flags.runKey ?? environment.REINDEX_RUN_KEY;
  return typeof given === 'string' && given !== '' ? given : null;
}
