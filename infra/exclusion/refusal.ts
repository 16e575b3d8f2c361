import type { Claim } from '../../orchestrator/journal/claims.ts';
import { holderWords } from '../../orchestrator/journal/holder.ts';
import { holdingWords } from '../../orchestrator/run/choose-run.ts';
import type { Driver } from '../../orchestrator/run/driver.ts';

/** What a deployment says when it must stop, or when a run may begin beside it. */

/** What a deployment wants to change. */
export interface Deployed {
  readonly fleet: string;
  readonly stack: string;
}

/** @param driver the process that has the fleet's lock; null: no process has it */
export function claimRefusal({ fleet, stack }: Deployed, claim: Claim, driver: Driver | null): string {
  return (
    `fleet ${fleet}: ${holdingWords(claim)}; ${drivingWords(driver)}. A deployment would change the fleet under the run. ` +
    `\`npm run reindex-fleet -- status --stack ${stack}\` (or with --settings and the fleet's settings) shows how the run ` +
    'stands. Wait until it is finished, or carry it on with `run` in the place of `status`, or end it with `abandon`. ' +
    'Then deploy again.'
  );
}

function drivingWords(driver: Driver | null): string {
  if (driver === null) return 'no process drives it now';
  if (driver.state === 'dead') return `no process drives it now (the last, ${holderWords(driver)}, is dead)`;
  const words = `${holderWords(driver)} drives it`;
  return driver.state === 'alive' ? words : `${words}, if that process still lives`;
}

/** @param held a sentence that says which other process has the fleet's lock */
export function lockRefusal(held: string): string {
  return `${held}. That process may change the fleet, or begin a run. Deploy again when it has ended.`;
}

/** @param reason why the lock is lost */
export function lossWarning(reason: string): string {
  return (
    `this deployment goes on without the fleet's lock: ${reason}. A run may begin while the fleet is half deployed. ` +
    'Begin no run until the deployment has ended. `reindex-fleet status` shows whether a run has begun.'
  );
}
