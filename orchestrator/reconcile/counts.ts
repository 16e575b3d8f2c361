import type { TaskStatus } from '../../worker/contract.ts';
import type { Counts } from './events.ts';

export const NO_COUNTS: Counts = {
  rowsRead: 0,
  filtered: 0,
  indexed: 0,
  superseded: 0,
  deadLetters: 0,
  bytesSent: 0,
  retries: 0,
};

export function addCounts(a: Counts, b: Counts): Counts {
  return {
    rowsRead: a.rowsRead + b.rowsRead,
    filtered: a.filtered + b.filtered,
    indexed: a.indexed + b.indexed,
    superseded: a.superseded + b.superseded,
    deadLetters: a.deadLetters + b.deadLetters,
    bytesSent: a.bytesSent + b.bytesSent,
    retries: a.retries + b.retries,
  };
}

export function countsOf(status: TaskStatus): Counts {
  const sum = (pick: (target: TaskStatus['targets'][number]) => number): number =>
    status.targets.reduce((total, target) => total + pick(target), 0);
  return {
    rowsRead: status.rows_read,
    filtered: status.filtered,
    indexed: sum((target) => target.indexed),
    superseded: sum((target) => target.superseded),
    deadLetters: sum((target) => target.dead_letters),
    bytesSent: status.bytes_sent,
    retries: status.retries,
  };
}

/** Every row read has exactly one outcome; a worker whose counts say otherwise is not believed. */
export function addsUp(counts: Counts): boolean {
  return counts.rowsRead === counts.filtered + counts.indexed + counts.superseded + counts.deadLetters;
}
