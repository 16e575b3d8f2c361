import { type AwsClients, openAws } from '../../../orchestrator/aws/clients.ts';
import { systemClock } from '../../../orchestrator/clock.ts';
import { FleetLock } from '../../../orchestrator/journal/lock.ts';
import { openBucketJournal } from '../../../orchestrator/journal/s3-place.ts';
import type { KeptLock } from './kept-lock.ts';

const PAUSE_MS = 1_000;

/**
 * Goes on with a lock in the place of the process that took it, and gives it back at the end. It does nothing if the lock is
 * released or taken over.
 *
 * @param ended resolves when the lock is needed no more
 */
export async function keepOn({ journal, claim }: KeptLock, ended: Promise<void>): Promise<void> {
  const aws = openAws(journal.region, { profile: journal.profile });
  const over = new AbortController();
  const end = ended.then(() => over.abort());
  const lock = await adopted(aws, { journal, claim }, over.signal);
  if (lock !== null) {
    lock.startRenewing();
    await end;
    await lock.release().catch(() => {}); // It expires by itself.
  }
  aws.close();
}

/** Tries until the store answers, because the lock is held only as long as somebody renews it. */
async function adopted(
  aws: AwsClients,
  { journal, claim }: KeptLock,
  signal: AbortSignal,
): Promise<FleetLock | null> {
  const store = openBucketJournal(aws, journal, systemClock);
  const timing = { leaseMs: journal.leaseMs, waitMs: 0, clock: systemClock, signal };
  while (!signal.aborted) {
    try {
      return await FleetLock.adopt(store, claim, timing);
    } catch {
      await systemClock.sleep(PAUSE_MS, signal).catch(() => {});
    }
  }
  return null;
}
