/** Rows that a range has at most, unless there are more than `MAX_RANGES` of them: a lost one is then cheap to redo. */
const ROWS_PER_RANGE = 250_000;
/** Below this a range costs more in calls than in rows. */
const MIN_ROWS_PER_RANGE = 1000;
/** Many more ranges than workers, so that all of them are busy until near the end. */
const RANGES_PER_WORKER = 4;
/** What the journal and each tick of the run can carry with ease. */
const MAX_RANGES = 100_000;

/** How many ranges a table is split into; `wanted` is what the settings say, null for nothing. */
export function rangeCount(table: { rows: number; workers: number; wanted: number | null }): number {
  if (table.wanted !== null) return clamp(table.wanted, 1, MAX_RANGES);
  const many = Math.max(RANGES_PER_WORKER * table.workers, Math.ceil(table.rows / ROWS_PER_RANGE));
  return clamp(Math.min(many, Math.floor(table.rows / MIN_ROWS_PER_RANGE)), 1, MAX_RANGES);
}

/** What an earlier run of the definition reached with all its workers together. */
export interface MeasuredRate {
  readonly rowsPerSecond: number;
  readonly workers: number;
}

/** Seconds that reading and writing will take, in proportion to the last run's rate per worker; null: not known. */
export function expectedSeconds(
  plan: { rows: number; workers: number },
  last: MeasuredRate | null,
): number | null {
  if (last === null || last.rowsPerSecond <= 0 || last.workers <= 0 || plan.workers <= 0) return null;
  return plan.rows / ((last.rowsPerSecond / last.workers) * plan.workers);
}

/** Bytes that will go to the cluster, rounded; null where no row could be measured. */
export function expectedBytes(rows: number, bytesPerRow: number | null): number | null {
  return bytesPerRow === null ? null : Math.round(rows * bytesPerRow);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, Math.floor(value)));
}
