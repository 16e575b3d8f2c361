import { readingColumns } from '../../definition/reading.ts';
import type { DeadLetter } from '../dead-letter.ts';
import type { Position } from '../source/position.ts';
import type { RowConsumer } from '../source/read-range.ts';
import type { DescribedReading } from '../source/read-request.ts';
import type { Row } from '../source/row.ts';
import { RowTaker, type Taken, untake } from './row-taker.ts';
import type { Stretch } from './stretch.ts';
import type { TargetsWriter } from './targets-writer.ts';

/** A stretch is sent though no batch of it is full when so many rows or so much time went into it: progress is to move. */
const MAX_STRETCH_ROWS = 50_000;
export const MAX_STRETCH_AGE_MS = 1_000;

/** Fills stretches with rows, for every target at once, and hands them on when a batch of them is full, or they are old. */
export class StretchFiller implements RowConsumer {
  readonly #writer: TargetsWriter;
  readonly #position: Position;
  #takers: readonly RowTaker[] = [];
  /** What became of the row at hand at each target. */
  readonly #taken: Taken[] = [];
  #stretch: Stretch | null = null;
  #openedMs = 0;

  constructor(writer: TargetsWriter, position: Position) {
    this.#writer = writer;
    this.#position = position;
  }

  begin({ reading, targets }: DescribedReading): void {
    if (this.#takers.length > 0) return;
    const definitions = targets.map(({ definition }) => definition);
    const columns = readingColumns(reading, definitions);
    const { framings } = this.#writer;
    if (framings.length !== targets.length) throw new Error('There is a framing for each target.');
    this.#takers = framings.flatMap((framing, i) => {
      const target = targets[i];
      return target === undefined ? [] : [new RowTaker(target, columns, framing)];
    });
  }

  take(row: Row): boolean {
    let stretch = this.#open();
    if (stretch === null) return false;
    if (this.#takeInto(stretch, row)) return true;
    this.close();
    stretch = this.#open();
    return stretch !== null && this.#takeInto(stretch, row);
  }

  buryOversized(row: Row, bytes: number): boolean {
    const stretch = this.#open();
    if (stretch === null) return false;
    let filtered = 0;
    for (const [i, batch] of stretch.batches.entries())
      if (this.#takers[i]?.takeOversized(row, batch, bytes) === 'filtered') filtered++;
    count(stretch, filtered);
    return true;
  }

  bury(letter: DeadLetter, kept: readonly boolean[] | null): boolean {
    const stretch = this.#open();
    if (stretch === null) return false;
    let filtered = 0;
    for (const [i, batch] of stretch.batches.entries())
      if (this.#takers[i]?.takeBroken(letter, kept, batch) === 'filtered') filtered++;
    count(stretch, filtered);
    return true;
  }

  async room(signal: AbortSignal): Promise<void> {
    this.#use(await this.#writer.acquire(signal));
  }

  closeIfOld(): void {
    const rows = this.#stretch?.rowsRead ?? 0;
    if (rows > 0 && performance.now() - this.#openedMs >= MAX_STRETCH_AGE_MS) this.close();
  }

  /** Hands on, or back, what is in hand. */
  close(): void {
    const stretch = this.#stretch;
    if (stretch === null) return;
    this.#stretch = null;
    stretch.lastKey = this.#position.lastKey;
    this.#writer.submit(stretch);
  }

  /** The row for all targets, or for none: false. */
  #takeInto(stretch: Stretch, row: Row): boolean {
    const { batches } = stretch;
    const takers = this.#takers;
    let filtered = 0;
    for (let i = 0; i < takers.length; i++) {
      const batch = batches[i];
      const taken = batch === undefined ? 'full' : (takers[i] as RowTaker).take(row, batch);
      if (taken === 'full') {
        this.#takeBack(stretch, i);
        return false;
      }
      if (taken === 'filtered') filtered++;
      this.#taken[i] = taken;
    }
    count(stretch, filtered);
    return true;
  }

  #takeBack({ batches }: Stretch, targets: number): void {
    for (const [i, batch] of batches.entries()) if (i < targets) untake(this.#taken[i] ?? 'full', batch);
  }

  /** The stretch that takes the next row; null when there is no room. */
  #open(): Stretch | null {
    if (this.#stretch !== null && isFull(this.#stretch)) this.close();
    if (this.#stretch === null) this.#use(this.#writer.tryAcquire());
    return this.#stretch;
  }

  #use(stretch: Stretch | null): void {
    this.#stretch = stretch;
    this.#openedMs = performance.now();
  }
}

function count(stretch: Stretch, filtered: number): void {
  stretch.rowsRead++;
  if (filtered === stretch.batches.length) stretch.filtered++;
}

function isFull({ batches, rowsRead }: Stretch): boolean {
  if (rowsRead >= MAX_STRETCH_ROWS) return true;
  for (let i = 0; i < batches.length; i++) if (batches[i]?.full === true) return true;
  return false;
}
