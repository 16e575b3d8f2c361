import { z } from 'zod';
import type { TaskStatus } from '../../worker/contract.ts';

const count = z.int().min(0);

/** Outcomes of rows in one target. */
export const targetCountsSchema = z.strictObject({
  index: z.string(),
  indexed: count,
  superseded: count,
  filtered: count,
  deadLetters: count,
});

/** What a reading came to. For each target that it feeds, `rowsRead` = indexed + superseded + filtered + deadLetters. */
export const countsSchema = z.strictObject({
  rowsRead: count,
  bytesSent: count,
  retries: count,
  targets: z.array(targetCountsSchema).readonly(),
});

export type TargetCounts = z.infer<typeof targetCountsSchema>;
export type Counts = z.infer<typeof countsSchema>;

export const NO_COUNTS: Counts = { rowsRead: 0, bytesSent: 0, retries: 0, targets: [] };

export function noTargetCounts(index: string): TargetCounts {
  return { index, indexed: 0, superseded: 0, filtered: 0, deadLetters: 0 };
}

/** A target that one of the two does not speak of has what the other says. */
export function addCounts(a: Counts, b: Counts): Counts {
  const others = b.targets.filter(({ index }) => !a.targets.some((target) => target.index === index));
  return {
    rowsRead: a.rowsRead + b.rowsRead,
    bytesSent: a.bytesSent + b.bytesSent,
    retries: a.retries + b.retries,
    targets: [...a.targets.map((target) => addTarget(target, countsIn(b, target.index))), ...others],
  };
}

/** Of one target; nothing where the counts do not speak of it. */
export function countsIn(counts: Counts, index: string): TargetCounts {
  return counts.targets.find((target) => target.index === index) ?? noTargetCounts(index);
}

/** Of all targets together. */
export function totalOf(counts: Counts, name: Exclude<keyof TargetCounts, 'index'>): number {
  return counts.targets.reduce((sum, target) => sum + target[name], 0);
}

export function countsOf(status: TaskStatus): Counts {
  return {
    rowsRead: status.rows_read,
    bytesSent: status.bytes_sent,
    retries: status.retries,
    targets: status.targets.map(({ index, indexed, superseded, filtered, dead_letters: deadLetters }) => ({
      index,
      indexed,
      superseded,
      filtered,
      deadLetters,
    })),
  };
}

/**
 * Every row read has exactly one outcome in each target of the pass; a worker whose counts say otherwise, or that speaks of
 * other targets, is not believed.
 */
export function addsUp({ rowsRead, targets }: Counts, indexes: readonly string[]): boolean {
  const isWhole = targets.every(
    ({ indexed, superseded, filtered, deadLetters }) =>
      rowsRead === indexed + superseded + filtered + deadLetters,
  );
  return (
    isWhole &&
    targets.length === indexes.length &&
    indexes.every((index) => targets.some((target) => target.index === index))
  );
}

function addTarget(a: TargetCounts, b: TargetCounts): TargetCounts {
  return {
    index: a.index,
    indexed: a.indexed + b.indexed,
    superseded: a.superseded + b.superseded,
    filtered: a.filtered + b.filtered,
    deadLetters: a.deadLetters + b.deadLetters,
  };
}
