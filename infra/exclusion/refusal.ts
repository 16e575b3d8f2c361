import type { Claim } from '../../orchestrator/journal/claims.ts';
import { holderWords } from '../../orchestrator/journal/holder.ts';
import { holdingWords } from '../../orchestrator/run/choose-run.ts';
import type { Driver } from '../../orchestrator/run/driver.ts';

/** The sentences of a deployment that must not go on, or may not be alone. */

/** What a deployment wants to change. */
export interface Deployed {
  readonly fleet: string;
  readonly stack: string;
}

/** `driver`: who has the fleet's lock; null: nobody. */
export function claimRefusal({ fleet, stack }: Deployed, claim: Claim, driver: Driver | null): string {
  return (
    `fleet ${fleet}: ${holdingWords(claim)}; ${drivingWords(driver)}. A deployment would change the fleet under it. ` +
    `See how it stands with \`npm run reindex-fleet -- status --stack ${stack}\` (or --settings, with the fleet's); ` +
    'then wait until it is finished, carry it on with `run`, or end it with `abandon` in the place of `status`, and deploy again.'
  );
}

function drivingWords(driver: Driver | null): string {
  if (driver === null) return 'no process drives it now';
  if (driver.state === 'dead') return `no process drives it now (the last, ${holderWords(driver)}, is dead)`;
  const words = `it is driven by ${holderWords(driver)}`;
  return driver.state === 'alive' ? words : `${words}, if that still lives`;
}

/** @param held says which other process has the fleet's lock */
export function lockRefusal(held: string): string {
  return `${held}. It may change the fleet, or begin a run: deploy again when it has ended.`;
}

/** @param reason why the lock is lost */
export function lossWarning(reason: string): string {
  return (
    `this deployment goes on without the fleet's lock: ${reason}. A run may begin beside it, on what is half deployed: ` +
    'let none begin until the deployment has ended, and see with `reindex-fleet status` whether one has.'
  );
}
