import type { TaskStatus } from './contract.ts';

/** What became of rows in one index. */
export type RowOutcomes = Omit<TaskStatus['targets'][number], 'index'>;

/** What tasks came to together. */
export interface TaskTotals {
  readonly rowsRead: number;
  readonly bytesSent: number;
  readonly retries: number;
  readonly targets: ReadonlyMap<string, RowOutcomes>;
}

export const NO_TOTALS: TaskTotals = { rowsRead: 0, bytesSent: 0, retries: 0, targets: new Map() };

/** The totals with one task more. Pure. */
export function addTask(totals: TaskTotals, status: TaskStatus): TaskTotals {
  const targets = new Map(totals.targets);
  for (const { index, indexed, superseded, filtered, dead_letters } of status.targets) {
    const before = targets.get(index);
    targets.set(index, {
      indexed: (before?.indexed ?? 0) + indexed,
      superseded: (before?.superseded ?? 0) + superseded,
      filtered: (before?.filtered ?? 0) + filtered,
      dead_letters: (before?.dead_letters ?? 0) + dead_letters,
    });
  }
  return {
    rowsRead: totals.rowsRead + status.rows_read,
    bytesSent: totals.bytesSent + status.bytes_sent,
    retries: totals.retries + status.retries,
    targets,
  };
}
