import { systemClock } from '../clock.ts';
import { describeThisProcess, stateOfHolder } from '../journal/holder.ts';
import type { LockRequest } from '../run/with-lock.ts';
import type { FleetContext } from './command.ts';

/**
 * Asks for the fleet's lock for `reindex-fleet <command>`. `whileHeld` is called while another process holds the lock.
 * It throws when there is nothing to wait for.
 */
export async function lockRequest(
  { offline, reporter, signal }: FleetContext,
  command: string,
  whileHeld?: () => Promise<unknown>,
): Promise<LockRequest> {
  return {
    store: offline.store,
    leaseMs: offline.settings.journal.lease_ms,
    holder: await describeThisProcess(`reindex-fleet ${command}`, new Date()),
    stateOfHolder,
    clock: systemClock,
    reporter,
    signal,
    ...(whileHeld === undefined ? {} : { whileHeld }),
  };
}
