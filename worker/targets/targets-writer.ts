import type { Key } from '../../definition/key/key-kind.ts';
import type { TaskFailure } from '../task-failure.ts';
import type { Batch } from './batch.ts';
import { type OpenStretch, Settlement, type SettledCounts, type TargetCounts } from './settlement.ts';
import { type InFlight, sumInFlight } from './in-flight.ts';
import { emptyStretch, type Stretch } from './stretch.ts';
import type { Framing, Target } from './target.ts';

/**
 * Where the pipeline hands its stretches. Order of submission is key order; deliveries may finish in any order, but
 * `settledThrough` and the counts only move when every stretch up to there has its final outcome at every target.
 */
export interface TargetsWriter {
  /** How documents stand in the batches of each target. */
  readonly framings: readonly Framing[];
  /** Waits until another stretch may be filled and gives an empty one. Rejects when the task must end. */
  acquire(signal: AbortSignal): Promise<Stretch>;
  /** An empty stretch if one may be filled at once; else null (then close the tap and `acquire`). Throws like `acquire`. */
  tryAcquire(): Stretch | null;
  /** Takes a stretch over. Its batches belong to the writer until they come back through `acquire`. */
  submit(stretch: Stretch): void;
  /** Resolves when every submitted stretch is settled; rejects with a TaskFailure when one cannot be. */
  finish(signal: AbortSignal): Promise<void>;
}

/**
 * The task's way to all of its targets: hands out stretches, delivers them side by side, and settles them in order. The
 * first target that fails ends the task for all.
 */
export class TaskWriter implements TargetsWriter {
  readonly #targets: readonly Target[];
  readonly #outer: AbortSignal;
  readonly #end = new AbortController();
  readonly #settlement: Settlement;
  readonly #deliveries = new Set<Promise<void>>();
  #failure: unknown = null;
  #firstKey: Key | null = null;
  /** Aborted as soon as the task cannot be completed, with the reason. */
  readonly signal: AbortSignal;

  /**
   * @param open opens the task's targets; everything they do ends with the signal
   * @param signal ends the task
   */
  constructor(open: (signal: AbortSignal) => readonly Target[], signal: AbortSignal) {
    this.#outer = signal;
    this.signal = AbortSignal.any([signal, this.#end.signal]);
    this.#targets = open(this.signal);
    this.#settlement = new Settlement(this.#targets.length);
  }

  get framings(): readonly Framing[] {
    return this.#targets.map(({ framing }) => framing);
  }

  async acquire(signal: AbortSignal): Promise<Stretch> {
    this.#throwIfFailed();
    const batches: Batch[] = [];
    try {
      // One after the other: each target has a share of its own, and nobody else takes from it.
      for (const { share } of this.#targets) batches.push(await share.wait(this.signal, signal));
      return emptyStretch(batches);
    } catch (error) {
      this.#giveBack(batches);
      this.#throwIfFailed();
      throw error;
    }
  }

  tryAcquire(): Stretch | null {
    this.#throwIfFailed();
    const batches: Batch[] = [];
    for (const { share } of this.#targets) {
      const batch = share.take();
      if (batch === null) {
        this.#giveBack(batches);
        return null;
      }
      batches.push(batch);
    }
    return emptyStretch(batches);
  }

  submit(stretch: Stretch): void {
    const { batches, rowsRead, lastKey } = stretch;
    if (rowsRead === 0) return this.#giveBack(batches);
    const first = batches.find(({ items }) => items > 0);
    this.#firstKey ??= first === undefined ? lastKey : first.keys.at(0);
    let open: OpenStretch;
    try {
      open = this.#settlement.enter(stretch);
    } catch (error) {
      this.#giveBack(batches);
      this.#fail(error);
      return;
    }
    for (const [i, target] of this.#targets.entries()) {
      const batch = batches[i];
      if (batch !== undefined)
        this.#deliver(target, batch, (counts) => this.#settlement.settle(open, i, counts));
    }
  }

  async finish(signal: AbortSignal): Promise<void> {
    const giveUp = (): void => this.#fail(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    await Promise.all(this.#deliveries);
    signal.removeEventListener('abort', giveUp);
    this.#throwIfFailed();
  }

  /** Ends what is under way; resolves when no batch of the task is in use any more. */
  async abandon(reason: unknown): Promise<void> {
    this.#fail(reason);
    await Promise.all(this.#deliveries);
  }

  get settledThrough(): Key | null {
    return this.#settlement.settledThrough;
  }

  /** A key at or near the first row, from which progress is measured where the range has no start. */
  get firstKey(): Key | null {
    return this.#firstKey;
  }

  get counts(): SettledCounts {
    return this.#settlement.counts;
  }

  get bytesSent(): number {
    return this.#targets.reduce((sum, target) => sum + target.bytesSent, 0);
  }

  get retries(): number {
    return this.#targets.reduce((sum, target) => sum + target.retries, 0);
  }

  get waiting(): boolean {
    return this.#targets.some((target) => target.waiting);
  }

  /** Why it waits, as a clause; null: it does not. */
  get trouble(): string | null {
    return this.#targets.find((target) => target.waiting)?.trouble ?? null;
  }

  /** Of all targets together. */
  get inFlight(): InFlight {
    return sumInFlight(this.#targets.map((target) => target.inFlight));
  }

  #deliver(target: Target, batch: Batch, settle: (counts: TargetCounts) => void): void {
    const delivery: Promise<void> = target
      .deliver(batch)
      .then(settle)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        target.share.give(batch);
        this.#deliveries.delete(delivery);
      });
    this.#deliveries.add(delivery);
  }

  #giveBack(batches: readonly Batch[]): void {
    for (const [i, batch] of batches.entries()) this.#targets[i]?.share.give(batch);
  }

  #fail(reason: unknown): void {
    this.#failure ??= reason;
    this.#end.abort(reason);
  }

  #throwIfFailed(): void {
    if (this.#failure !== null) throw this.#failure as TaskFailure;
    this.#outer.throwIfAborted();
  }
}
