import { FleetHeld } from '../errors.ts';
import type { FleetInstance } from '../fleet/fleet.ts';
import { pinLeftBehind } from '../fleet/connect-fleet.ts';
import { sweepFleet } from '../fleet/sweep.ts';
import type { Claim } from '../journal/claims.ts';
import type { Holder } from '../journal/holder.ts';
import type { FleetLock } from '../journal/lock.ts';
import { lastHeldAt } from '../journal/lock-history.ts';
import type { LockRecord } from '../journal/lock-record.ts';
import type { Settings } from '../settings.ts';
import { readStanding, type Standing } from './choose-run.ts';
import { type Cleaned, cleanJournal } from './clean-journal.ts';
import type { FleetBackend } from '../fleet/fleet-backend.ts';
import { type LockRequest, withLock } from './with-lock.ts';

const DAY_MS = 86_400_000;
/**
 * How long locks are kept. Only the newest lock decides. Sweepers read the others for as long as the longest grace, a
 * day. More of them would only make each renewal's look at their folder longer.
 */
const KEEP_LOCKS_MS = 2 * DAY_MS;

/** How long a sweeper leaves things alone, in milliseconds. */
export interface SweepRules {
  /** The fleet of an unfinished run, after the run's last word. */
  readonly graceMs: number;
  /** The journal of an ended run. */
  readonly keepMs: number;
  /** Locks, except the newest. */
  readonly keepLocksMs: number;
}

export function sweepRules({ backend, journal }: Pick<Settings, 'backend' | 'journal'>): SweepRules {
  return {
    graceMs: backend.sweepGraceMs,
    keepMs: journal.keep_days * DAY_MS,
    keepLocksMs: KEEP_LOCKS_MS,
  };
}

export interface SweepRequest extends SweepRules {
  readonly lock: Omit<LockRequest, 'whileHeld'>;
  readonly openFleet: FleetBackend['openFleet'];
  /** Called when the lock is taken. */
  readonly onHeld?: (lock: FleetLock) => void;
}

/** What a sweeper found and did. */
export interface Swept {
  /** The live process that holds the lock; then nothing was touched. Null when there is none. */
  readonly drivenBy: Holder | null;
  /** What the fleet's journal says. */
  readonly standing: Standing;
  /** The instances that were pending or running. */
  readonly found: readonly FleetInstance[];
  /** Until when they are left alone. Null when they were ended and the fleet is at zero. */
  readonly graceUntil: Date | null;
  readonly cleaned: Cleaned;
}

/**
 * Brings the fleet to zero unless a live process drives it, then cleans the journal. It may be called at any time, even
 * beside healthy runs. It takes the lock as any contender does, and stops as soon as it sees the holder renew it. If
 * the holder does not renew it, the sweep waits for a whole lease, as everybody does.
 */
export async function sweep(request: SweepRequest): Promise<Swept> {
  const { store } = request.lock;
  const watch = new RenewalWatch();
  const holder: Holder = { ...request.lock.holder, sweeps: true };
  const lock: LockRequest = { ...request.lock, holder, whileHeld: (record) => watch.look(record) };
  try {
    return await withLock(lock, (held, signal) => sweepUnderLock(request, held, signal));
  } catch (error) {
    if (!(error instanceof FleetHeld) || watch.holder === null) throw error;
    const nothing = { found: [], graceUntil: null, cleaned: { locks: 0, runs: [] } };
    return { drivenBy: watch.holder, standing: await readStanding(store), ...nothing };
  }
}

async function sweepUnderLock(request: SweepRequest, lock: FleetLock, signal: AbortSignal): Promise<Swept> {
  const { graceMs, openFleet } = request;
  const { store, clock } = request.lock;
  request.onHeld?.(lock);
  const standing = await readStanding(store);
  const { unfinished: claim } = standing;
  const run = claim === null ? null : standing.run;
  const lastWordAt =
    claim === null ? null : await lastWordOf(claim, run?.writtenAt ?? null, request, lock.epoch);
  // A run whose workers ended with their process left nothing behind, so the sweep takes the fleet of the settings.
  const { fleet, timing } = await openFleet(pinLeftBehind(run?.state.pin ?? null));
  try {
    const { zeroQuietMs } = timing;
    const swept = await sweepFleet({ fleet, lock, lastWordAt, graceMs, zeroQuietMs, clock, signal });
    signal.throwIfAborted();
    const requireHeld = (): void => lock.requireHeld();
    const cleaned = await cleanJournal({ ...request, store, requireHeld, now: clock.now() });
    const found = swept.found.map((instance) => ({
      ...instance,
      run: run?.state.instances.has(instance.id) === true ? (claim?.run ?? null) : instance.run,
    }));
    return { drivenBy: null, standing, ...swept, found, cleaned };
  } finally {
    await fleet.close();
  }
}

/** The time of the run's last word: the newest that its claim, its journal and its lock show. */
async function lastWordOf(
  claim: Claim,
  writtenAt: Date | null,
  { lock, graceMs }: SweepRequest,
  epoch: number,
): Promise<Date> {
  const since = new Date(lock.clock.now().getTime() - graceMs);
  const heldAt = await lastHeldAt(lock.store, { belowEpoch: epoch, since });
  const words = [new Date(claim.at), writtenAt, heldAt].filter((at) => at !== null);
  return new Date(Math.max(...words.map((at) => at.getTime())));
}

/** Watches for a holder that renews its lock. Such a holder lives, and there is nothing to wait for. */
class RenewalWatch {
  /** The holder at the last look. */
  holder: Holder | null = null;
  #seen: { readonly epoch: number; readonly beat: number } | null = null;

  look({ epoch, beat, holder }: LockRecord): Promise<void> {
    const renewed = this.#seen?.epoch === epoch && this.#seen.beat !== beat;
    this.#seen = { epoch, beat };
    this.holder = holder;
    return renewed
      ? Promise.reject(new FleetHeld('the process that holds the lock is alive'))
      : Promise.resolve();
  }
}
