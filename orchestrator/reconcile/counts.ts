import { z } from 'zod';
import type { TaskStatus } from '../../worker/contract.ts';

const count = z.int().min(0);

/** The outcomes of rows in one target. */
export const targetCountsSchema = z.strictObject({
  index: z.string(),
  indexed: count,
  superseded: count,
  filtered: count,
  deadLetters: count,
});

/** The counts of a reading. In each of its targets, `rowsRead` = indexed + superseded + filtered + deadLetters. */
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

/** Adds counts. A target that is in only one of the two keeps its counts. */
export function addCounts(a: Counts, b: Counts): Counts {
  const others = b.targets.filter(({ index }) => !a.targets.some((target) => target.index === index));
  return {
    rowsRead: a.rowsRead + b.rowsRead,
    bytesSent: a.bytesSent + b.bytesSent,
    retries: a.retries + b.retries,
    targets: [...a.targets.map((target) => addTarget(target, countsIn(b, target.index))), ...others],
  };
}

/** The counts of one target. All are zero if the counts do not have it. */
export function countsIn(counts: Counts, index: string): TargetCounts {
  return counts.targets.find((target) => target.index === index) ?? noTargetCounts(index);
}

/** The sum of one count over all targets. */
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
 * Whether every row that was read has exactly one outcome in each target of the pass. Counts of a worker that say
 * otherwise, or that have other targets, are not believed.
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
