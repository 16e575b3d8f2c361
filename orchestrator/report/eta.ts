/** Rate and time left. Null while nothing is known. */
export interface Estimate {
  readonly rowsPerSecond: number | null;
  readonly secondsLeft: number | null;
}

/** The state of an estimate between two ticks. Times are monotonic milliseconds. */
export interface EtaState {
  /** False until a first row is settled. Workers that boot and warm up say nothing about the rate. */
  readonly begun: boolean;
  readonly startMs: number;
  readonly startRows: number;
  readonly lastMs: number;
  readonly lastRows: number;
  /** The exponentially weighted rate of the last moments. Null until two ticks have been seen. */
  readonly recentRate: number | null;
  /** The end that was last shown. */
  readonly shownEndMs: number | null;
}

const TIME_CONSTANT_MS = 20_000;
/** Nothing is shown before this time, because the first moments say little about the rate. */
const SETTLING_MS = 2_000;
/**
 * Within this time the shown end follows the computed one: soon at first, when little is known, and more slowly later.
 */
const SHOWN_END_LAG_MS = { least: 1_000, most: 20_000, shareOfElapsed: 0.8 };

export function beginEta(nowMs: number, rows: number): EtaState {
  return {
    begun: false,
    startMs: nowMs,
    startRows: rows,
    lastMs: nowMs,
    lastRows: rows,
    recentRate: null,
    shownEndMs: null,
  };
}

/** What a tick saw. */
export interface Seen {
  /** Rows settled so far. */
  readonly rows: number;
  readonly rowsExpected: number;
  /** True while tasks wait for the database or the cluster. Nobody knows until when. */
  readonly waiting: boolean;
}

/**
 * The next estimate. The rate is the mean of the overall rate, which does not jump, and the recent rate, which follows
 * a change. The shown end moves towards the computed one by a share of the gap, so it does not jump either.
 */
export function nextEta(state: EtaState, nowMs: number, seen: Seen): { state: EtaState; estimate: Estimate } {
  const { rows, rowsExpected } = seen;
  if (!state.begun) {
    const begun = rows > state.startRows;
    return {
      state: { ...beginEta(nowMs, rows), begun },
      estimate: { rowsPerSecond: null, secondsLeft: null },
    };
  }
  const passedMs = nowMs - state.lastMs;
  if (passedMs <= 0) return { state, estimate: estimateOf(state, nowMs) };
  const rate = ((rows - state.lastRows) / passedMs) * 1000;
  const weight = 1 - Math.exp(-passedMs / TIME_CONSTANT_MS);
  const recentRate = state.recentRate === null ? rate : state.recentRate + weight * (rate - state.recentRate);
  const next = { ...state, lastMs: nowMs, lastRows: rows, recentRate };
  const shownEndMs = endOf(next, rowsExpected, passedMs);
  const shown = { ...next, shownEndMs };
  const estimate = estimateOf(shown, nowMs);
  return { state: shown, estimate: seen.waiting ? { ...estimate, secondsLeft: null } : estimate };
}

function estimateOf(state: EtaState, nowMs: number): Estimate {
  const rowsPerSecond = rateOf(state);
  const secondsLeft = state.shownEndMs === null ? null : Math.max(0, (state.shownEndMs - nowMs) / 1000);
  return { rowsPerSecond, secondsLeft };
}

function rateOf(state: EtaState): number | null {
  const passedMs = state.lastMs - state.startMs;
  if (state.recentRate === null || passedMs <= 0) return null;
  const overall = ((state.lastRows - state.startRows) / passedMs) * 1000;
  return (overall + state.recentRate) / 2;
}

function endOf(state: EtaState, rowsExpected: number, passedMs: number): number | null {
  const rate = rateOf(state);
  if (rate === null || rate <= 0 || state.lastMs - state.startMs < SETTLING_MS) return state.shownEndMs;
  if (state.lastRows >= rowsExpected) return state.lastMs;
  const computed = state.lastMs + (Math.max(0, rowsExpected - state.lastRows) / rate) * 1000;
  if (state.shownEndMs === null) return computed;
  const { least, most, shareOfElapsed } = SHOWN_END_LAG_MS;
  const lagMs = Math.min(most, Math.max(least, shareOfElapsed * (state.lastMs - state.startMs)));
  return state.shownEndMs + (1 - Math.exp(-passedMs / lagMs)) * (computed - state.shownEndMs);
}
