/**
 * The most that a range has, unless there would be more than `MAX_RANGES`. So it costs little to redo a lost range. For
 * rows of 1 KB both limits are about the same: some 25 s of one worker's time at the 10,000 documents/s of a small
 * search node.
 */
const MOST_PER_RANGE = { rows: 250_000, bytes: 256 * 1024 * 1024 };
/** A range below both of these costs more in calls than in rows. */
const LEAST_PER_RANGE = { rows: 1000, bytes: 1024 * 1024 };
/** There are many more ranges than workers, so that all workers are busy until near the end. */
const RANGES_PER_WORKER = 4;
/** The number of ranges that the journal and each tick of a run carry with ease. */
const MAX_RANGES = 100_000;

/** What is known of a table, and how it should be split. */
export interface RangeWish {
  readonly rows: number;
  /** The bytes that are read for the rows. Null when not known. */
  readonly bytes: number | null;
  readonly workers: number;
  /** The number in the settings. Null when there is none. */
  readonly wanted: number | null;
}

/** How many ranges a table is split into. */
export function rangeCount({ rows, bytes, workers, wanted }: RangeWish): number {
  if (wanted !== null) return clamp(wanted, 1, MAX_RANGES);
  const known = bytes ?? 0;
  const many = Math.max(
    RANGES_PER_WORKER * workers,
    Math.ceil(rows / MOST_PER_RANGE.rows),
    Math.ceil(known / MOST_PER_RANGE.bytes),
  );
  const worthwhile = Math.max(rows / LEAST_PER_RANGE.rows, known / LEAST_PER_RANGE.bytes);
  return clamp(Math.min(many, worthwhile), 1, MAX_RANGES);
}

/** The rate that an earlier run of the definition reached with all its workers. */
export interface MeasuredRate {
  readonly rows: number;
  /** The time from the first launch to the last row. */
  readonly rowsPerSecond: number;
  readonly workers: number;
  /**
   * The time from the first launch to a worker that answers. It is a part of that time, and the same for a table of any
   * size.
   */
  readonly bootSeconds: number;
}

/**
 * The expected seconds of booting, reading and writing, in proportion to the last run's rate per worker. Null when not
 * known.
 */
export function expectedSeconds(
  plan: { rows: number; workers: number },
  last: MeasuredRate | null,
): number | null {
  if (last === null || last.rows <= 0 || last.rowsPerSecond <= 0 || last.workers <= 0 || plan.workers <= 0)
    return null;
  const seconds = last.rows / last.rowsPerSecond;
  // The last process of a run that was carried on may have read only for a short time.
  const bootSeconds = last.bootSeconds < seconds ? last.bootSeconds : 0;
  const perWorker = last.rows / (seconds - bootSeconds) / last.workers;
  return plan.rows / (perWorker * plan.workers) + bootSeconds;
}

/** The bytes that will go to the cluster, rounded. Null when no row could be measured. */
export function expectedBytes(rows: number, bytesPerRow: number | null): number | null {
  return bytesPerRow === null ? null : Math.round(rows * bytesPerRow);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, Math.floor(value)));
}
