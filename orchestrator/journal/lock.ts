import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { FleetHeld, messageOf, Superseded } from '../errors.ts';
import { type Holder, holderWords } from './holder.ts';
import { LOCK_SCHEMA, LOCKS, type LockRecord, readLock } from './lock-record.ts';
import { highestNumber, numberedName } from './numbered.ts';
import type { JournalStore } from './store.ts';

/** A holder trusts its lock for this share of a lease, but a contender waits for a whole one. Clocks differ in pace. */
const HELD_SHARE = 0.9;

export interface LockTiming {
  /** How long a lock object must stand unchanged before a contender may take it over. */
  readonly leaseMs: number;
  /** The longest wait for another holder, from the first look at its lock. */
  readonly waitMs: number;
  readonly clock: Clock;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
}

/** What proves that a lock's object is a certain holder's. */
export type LockClaim = Pick<LockRecord, 'epoch' | 'nonce'>;

/** What a contender does while another process has the lock. */
export interface WhileHeld {
  /** Whether the process of this holder lives, as far as this machine can know. */
  readonly stateOfHolder: (holder: Holder) => Promise<'alive' | 'dead' | 'unknown'>;
  /** Called at each look at a held lock. What it throws ends the waiting. */
  readonly onWait: (record: LockRecord) => Promise<void> | void;
}

/**
 * The lock of a fleet. Each holder owns one numbered object. The number is the holder's epoch, and only the highest
 * epoch counts. A renewal replaces the holder's own object. So a paused holder that wakes up late only touches an epoch
 * that no longer counts, and its next renewal or journal segment finds the higher one.
 */
export class FleetLock {
  readonly epoch: number;
  readonly #store: JournalStore;
  #record: LockRecord;
  readonly #timing: LockTiming;
  readonly #lost = new AbortController();
  readonly #end = new AbortController();
  #renewedAtMs: number;
  #renewal: Promise<void> = Promise.resolve();

  private constructor(store: JournalStore, record: LockRecord, timing: LockTiming, takenAtMs: number) {
    this.#store = store;
    this.#record = record;
    this.#timing = timing;
    this.epoch = record.epoch;
    this.#renewedAtMs = takenAtMs;
  }

  /**
   * Takes the lock when it is free or released, when its holder is proven dead, or when it stood unchanged for a whole
   * lease by this process's clock. Throws FleetHeld when another holder is still alive after `waitMs`, and whatever
   * `onWait` throws.
   */
  static async acquire(
    store: JournalStore,
    holder: Holder,
    timing: LockTiming,
    { stateOfHolder, onWait }: WhileHeld,
  ): Promise<FleetLock> {
    let watched = { mark: '', sinceMs: Number.POSITIVE_INFINITY };
    // The wait begins with the first answer. A slow answer must not shorten the lease that a dead holder is given.
    let beganMs: number | null = null;
    let epoch = 0;
    for (;;) {
      // What a look shows may be as old as its question: the answer may be late, or this process may have slept.
      const askedMs = timing.clock.monotonicMs();
      epoch = await highestNumber(store, LOCKS, epoch);
      const record = await readLock(store, epoch);
      const nowMs = timing.clock.monotonicMs();
      beganMs ??= nowMs;
      const mark = `${epoch}/${record?.beat}`;
      if (mark !== watched.mark) watched = { mark, sinceMs: nowMs };
      const free = record === null || record.released || askedMs - watched.sinceMs >= timing.leaseMs;
      if (free || (await stateOfHolder(record.holder)) === 'dead') {
        const lock = await FleetLock.#take(store, epoch + 1, holder, timing);
        if (lock === null) continue;
        await lock.#outlast(record);
        return lock;
      }
      if (nowMs - beganMs >= timing.waitMs) throw new FleetHeld(describeHeld(record));
      await onWait(record);
      await timing.clock.sleep(pauseMs(nowMs - beganMs, timing), timing.signal);
    }
  }

  /**
   * Goes on with a lock of another process, which has ended and had named this process as the holder.
   *
   * @returns null if the lock is released or taken over
   */
  static async adopt(
    store: JournalStore,
    { epoch, nonce }: LockClaim,
    timing: LockTiming,
  ): Promise<FleetLock | null> {
    const beganMs = timing.clock.monotonicMs();
    const record = await readLock(store, epoch);
    if (record === null || record.released || record.nonce !== nonce) return null;
    const lock = new FleetLock(store, record, timing, beganMs);
    await lock.renew();
    return lock.lost.aborted ? null : lock;
  }

  static async #take(
    store: JournalStore,
    epoch: number,
    holder: Holder,
    timing: LockTiming,
  ): Promise<FleetLock | null> {
    const { clock } = timing;
    const renewedAt = clock.now().toISOString();
    const record: LockRecord = {
      schema: LOCK_SCHEMA,
      epoch,
      nonce: randomUUID(),
      beat: 0,
      renewedAt,
      released: false,
      holder,
    };
    const beganMs = clock.monotonicMs();
    if ((await store.create(numberedName(LOCKS, epoch), JSON.stringify(record))) !== 'created') return null;
    // For a process that slept since its look, a number may be free again that was used and swept away.
    return (await highestNumber(store, LOCKS)) === epoch
      ? new FleetLock(store, record, timing, beganMs)
      : null;
  }

  /**
   * Waits until an earlier holder must know that its lock is taken over. It may have renewed the lock since the look,
   * and then it does not know yet. (A holder that renews from now on finds the new epoch after its own write.)
   */
  async #outlast(before: LockRecord | null): Promise<void> {
    if (before === null || before.released) return;
    try {
      const there = await readLock(this.#store, before.epoch);
      if (there === null || there.released || there.beat === before.beat) return;
      const { clock, leaseMs, signal } = this.#timing;
      for (let thirds = 0; thirds < 3; thirds += 1) {
        await clock.sleep(leaseMs / 3, signal);
        await this.renew();
      }
      this.requireHeld();
    } catch (error) {
      await this.release().catch(() => {}); // The lock expires by itself.
      throw error;
    }
  }

  get claim(): LockClaim {
    return { epoch: this.epoch, nonce: this.#record.nonce };
  }

  /** Aborts when the lock is lost. Its reason is a Superseded error. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * Throws the Superseded error when the lock is lost, or may be: a whole lease has passed since the last renewal
   * began, for example because this process was paused. Call it right before every call that changes something. It also
   * throws after the lock was released, so that leftover work changes nothing more.
   */
  requireHeld(): void {
    if (this.#record.released)
      throw new Superseded('the lock was released, so this process changes nothing more');
    if (!this.#lost.signal.aborted && this.#sinceRenewalMs() >= HELD_SHARE * this.#timing.leaseMs)
      this.#lose(
        `this process stood still for longer than its lease of ${this.#timing.leaseMs} ms (epoch ${this.epoch})`,
      );
    this.#lost.signal.throwIfAborted();
  }

  /**
   * Begins a renewal every third of a lease, until the lock is released or lost. `clock` sleeps in between. It differs
   * from the lock's own clock where the process may end meanwhile.
   */
  startRenewing(clock: Pick<Clock, 'sleep' | 'monotonicMs'> = this.#timing.clock): void {
    this.#renewal = this.#renewUntilTheEnd(clock);
  }

  async #renewUntilTheEnd(clock: Pick<Clock, 'sleep' | 'monotonicMs'>): Promise<void> {
    const { leaseMs } = this.#timing;
    let tookMs = 0;
    while (!this.#end.signal.aborted) {
      // After a renewal that hung in a call, there is time for another before the lease is over.
      await clock.sleep(Math.max(0, leaseMs / 3 - tookMs), this.#end.signal).catch(() => {});
      const beganMs = clock.monotonicMs();
      await this.renew();
      tookMs = clock.monotonicMs() - beganMs;
    }
  }

  /**
   * Renews the lock once. If the store cannot be written, the lock is lost only after a whole lease without success.
   */
  async renew(): Promise<void> {
    if (this.#end.signal.aborted) return;
    // A contender counts from when it sees the change, so the holder counts from before it makes the change.
    const beganMs = this.#timing.clock.monotonicMs();
    try {
      const there = await readLock(this.#store, this.epoch);
      if (there !== null && there.nonce !== this.#record.nonce)
        return this.#lose(`another process has overwritten the lock of epoch ${this.epoch}`);
      await this.#write({ beat: this.#record.beat + 1 });
      // This look comes after the write. So a process that takes over either sees the write or is seen here.
      const highest = await highestNumber(this.#store, LOCKS, this.epoch);
      if (highest > this.epoch)
        return this.#lose(`epoch ${highest} has taken the lock over from epoch ${this.epoch}`);
      this.#renewedAtMs = beganMs;
    } catch (error) {
      if (this.#sinceRenewalMs() > this.#timing.leaseMs) {
        this.#lose(
          `the lock in ${this.#store.location} could not be renewed for a whole lease: ${messageOf(error)}`,
        );
      }
    }
  }

  /** Releases the lock at a clean exit, so that the next command need not wait. */
  async release(): Promise<void> {
    const held = !this.#end.signal.aborted;
    this.#end.abort();
    await this.#renewal;
    if (held && !this.#lost.signal.aborted) await this.#write({ released: true });
  }

  #sinceRenewalMs(): number {
    return this.#timing.clock.monotonicMs() - this.#renewedAtMs;
  }

  async #write(change: Partial<LockRecord>): Promise<void> {
    this.#record = { ...this.#record, ...change, renewedAt: this.#timing.clock.now().toISOString() };
    await this.#store.replace(numberedName(LOCKS, this.epoch), JSON.stringify(this.#record));
  }

  #lose(reason: string): void {
    this.#end.abort();
    this.#lost.abort(new Superseded(reason));
  }
}

/** The process that holds the lock now, for `status` and for an early refusal. Null if none does. */
export async function currentHolder(store: JournalStore): Promise<{ epoch: number; holder: Holder } | null> {
  const record = await readLock(store, await highestNumber(store, LOCKS));
  return record === null || record.released ? null : { epoch: record.epoch, holder: record.holder };
}

/** The pause before the next look at a held lock. A long wait looks less often, because a store may charge each look. */
function pauseMs(waitedMs: number, { leaseMs }: LockTiming): number {
  return waitedMs < 2 * leaseMs ? Math.min(250, leaseMs / 4) : leaseMs / 4;
}

/** Says who holds a lock, for a message that refuses something. */
export function describeHeld(record: LockRecord): string {
  return `another process holds the fleet: ${holderWords(record.holder)} (epoch ${record.epoch})`;
}
