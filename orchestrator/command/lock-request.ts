import { systemClock } from '../clock.ts';
import { describeThisProcess, stateOfHolder } from '../journal/holder.ts';
import { type LockWait, NO_WAIT } from '../run/lock-wait.ts';
import type { LockRequest } from '../run/with-lock.ts';
import type { FleetContext } from './command.ts';

/** What a command does while another process holds the lock. */
export interface Contending {
  readonly wait?: LockWait;
  /** Called at each look, before the wait is over. It throws when there is nothing to wait for. */
  readonly whileHeld?: () => Promise<unknown>;
}

/** Asks for the fleet's lock for `reindex-fleet <command>`. */
export async function lockRequest(
  { offline, reporter, signal }: FleetContext,
  command: string,
  { wait = NO_WAIT, whileHeld }: Contending = {},
): Promise<LockRequest> {
  const process = await describeThisProcess(`reindex-fleet ${command}`, new Date());
  return {
    store: offline.store,
    leaseMs: offline.settings.journal.lease_ms,
    holder: wait.runKey === null ? process : { ...process, runKey: wait.runKey },
    wait,
    stateOfHolder,
    clock: systemClock,
    reporter,
    signal,
    ...(whileHeld === undefined ? {} : { whileHeld }),
  };
}
