import type { Draft, Limits } from './draft.ts';
import type { RunPlan } from './events.ts';
import { rateOf } from './memory.ts';
import type { Observation, TaskRefusal } from './observation.ts';
import { type RangeState, restId } from './state.ts';

/**
 * Gives the rest of running ranges to workers that have nothing to do, so that all of them end at about the same time.
 *
 * A cut is exact by three steps: it is journalled as intended, then the worker is told (`PATCH /task/{id}`; it refuses
 * when it has read as far), and only when the task's own status shows the new end does the rest become a range. A
 * worker that dies in between gives its whole range back, whether it had heard of the cut or not.
 */
export function shareRest(
  draft: Draft,
  observation: Observation,
  idle: readonly string[],
  nowMs: number,
  limits: Limits,
): void {
  callAgain(draft, observation, limits);
  let thieves = idle.slice(draft.openRanges.filter(({ cutAt }) => cutAt !== null).length);
  if (thieves.length === 0 || draft.waits) return;
  const busy = workers(draft, nowMs).filter(({ leftMs }) => leftMs > limits.shareLeastMs);
  for (const worker of busy.sort((a, b) => b.leftMs - a.leftMs)) {
    const [thief, ...others] = thieves;
    if (thief === undefined) return;
    if (takeFrom(draft, worker, rateOfWorker(draft, thief) ?? worker.rowsPerMs, nowMs, limits))
      thieves = others;
  }
}

interface BusyWorker {
  readonly id: string;
  readonly running: RangeState;
  /** Waits in the worker's queue. */
  readonly queued: RangeState | null;
  readonly rowsPerMs: number;
  /** Of the running range. */
  readonly rowsLeft: number;
  /** Until all that it has is done. */
  readonly leftMs: number;
}

function workers(draft: Draft, nowMs: number): BusyWorker[] {
  const ids = new Set(
    draft.openRanges.flatMap(({ instance, status }) => (status === 'assigned' ? [instance ?? ''] : [])),
  );
  return [...ids].flatMap((id) => busyWorker(draft, id, nowMs) ?? []);
}

function busyWorker(draft: Draft, id: string, nowMs: number): BusyWorker | null {
  const ranges = draft.rangesOf(id).filter((range) => draft.taskOf(range)?.status?.active === true);
  const reads = (range: RangeState): boolean => (draft.taskOf(range)?.status?.rows_read ?? 0) > 0;
  const running = ranges.find(reads) ?? ranges[0];
  if (running === undefined) return null;
  const queued = ranges.find((range) => range !== running && !reads(range));
  const rowsPerMs = rateOf(draft.taskOf(running), nowMs) ?? rateOfWorker(draft, id);
  if (rowsPerMs === null) return null;
  const rowsLeft = leftOf(draft, running);
  return {
    id,
    running,
    queued: queued ?? null,
    rowsPerMs,
    rowsLeft,
    leftMs: (rowsLeft + (queued?.rows ?? 0)) / rowsPerMs,
  };
}

/** The plan's estimate less what was read; a range that has more rows than planned has a twentieth of them left. */
function leftOf(draft: Draft, range: RangeState): number {
  const read = draft.taskOf(range)?.status?.rows_read ?? 0;
  return Math.max(range.rows - read, read / 20);
}

function rateOfWorker(draft: Draft, instance: string): number | null {
  return draft.memory.instances.get(instance)?.rowsPerMs ?? null;
}

/** True when something was taken: a task that waits, else a part of the one that runs. */
function takeFrom(
  draft: Draft,
  worker: BusyWorker,
  thiefRate: number,
  nowMs: number,
  limits: Limits,
): boolean {
  const { running, queued, rowsPerMs, rowsLeft } = worker;
  if (queued?.task != null) {
    draft.effects.push({ type: 'cancel_task', instance: worker.id, task: queued.task });
    return true;
  }
  const task = draft.taskOf(running);
  const refusedMs = task?.cutRefusedMs ?? Number.NEGATIVE_INFINITY;
  if (running.task === null || running.cutAt !== null || nowMs - refusedMs < limits.shareLeastMs)
    return false;
  const kept = Math.max(rowsPerMs / (rowsPerMs + thiefRate), rowsAhead(draft, running, limits) / rowsLeft);
  const at = keyAtShare(
    running,
    task?.status?.settled_through ?? null,
    kept,
    draft.state.plan?.bounds ?? null,
  );
  if ((rowsLeft * (1 - kept)) / thiefRate < limits.shareLeastMs / 2 || at === null) return false;
  draft.record({ type: 'cut_intended', range: running.id, task: running.task, at });
  draft.effects.push({ type: 'cut_task', instance: worker.id, task: running.task, at });
  return true;
}

/** Rows that its reading may be ahead of what is settled: what may be in flight, by the size of its rows so far. */
function rowsAhead(draft: Draft, range: RangeState, limits: Limits): number {
  const status = draft.taskOf(range)?.status;
  if (status == null || status.bytes_sent === 0) return 0;
  return limits.bytesInFlight / (status.bytes_sent / Math.max(1, status.rows_read));
}

const PARTS = 1_000_000;

/**
 * The key at a share of the way from what is settled to the range's end; null when nothing lies in between. Nobody knows
 * where the rows are: where they are not spread evenly, what was given away ends soon and is followed by another cut.
 */
function keyAtShare(
  range: RangeState,
  settledThrough: string | null,
  share: number,
  bounds: RunPlan['bounds'],
): string | null {
  const [from, to] = restOf(range, settledThrough, bounds);
  if (from === null || to === null || share >= 1) return null;
  const at = from + ((to - from) * BigInt(Math.round(share * PARTS))) / BigInt(PARTS);
  return at > from && at < to ? at.toString() : null;
}

/** The share of the keys that are left which lies from `at` on. */
function shareBehind(range: RangeState, through: string | null, at: string, plan: RunPlan | null): number {
  const [from, to] = restOf(range, through, plan?.bounds ?? null);
  if (from === null || to === null || to <= from) return 0;
  return Number(((to - BigInt(at)) * BigInt(PARTS)) / (to - from)) / PARTS;
}

/** What is not settled of a range, open ends by the table's bounds. */
function restOf(
  { start, end }: RangeState,
  settledThrough: string | null,
  bounds: RunPlan['bounds'],
): readonly [bigint | null, bigint | null] {
  const from =
    settledThrough === null ? (start ?? bounds?.min ?? null) : (BigInt(settledThrough) + 1n).toString();
  const to = end ?? bounds?.max ?? null;
  return [from === null ? null : BigInt(from), to === null ? null : BigInt(to)];
}

/** Until it is seen whether the task has its new end, it is told again; the same end again changes nothing. */
function callAgain(draft: Draft, observation: Observation, limits: Limits): void {
  for (const { instance, task, cutAt } of draft.openRanges) {
    if (cutAt === null || instance === null || task === null) continue;
    const answer = observation.workers.get(instance);
    if (answer?.reachable === true && answer.build === limits.build && answer.workerId === instance)
      draft.effects.push({ type: 'cut_task', instance, task, at: cutAt });
  }
}

/** Records what became of an intended cut, once its task's status or the worker's refusal shows it. */
export function noteCut(
  draft: Draft,
  id: string,
  refusals: ReadonlyMap<string, TaskRefusal>,
  nowMs: number,
): void {
  const range = draft.state.open.get(id);
  if (range === undefined || range.cutAt === null || range.task === null) return;
  const { task, cutAt } = range;
  const memory = draft.taskOf(range);
  if (memory?.contradicted === false && memory.status?.end_index === cutAt) {
    const { rows_read: read, settled_through: through } = memory.status;
    const rows = Math.round(
      Math.max(0, range.rows - read) * shareBehind(range, through, cutAt, draft.state.plan),
    );
    draft.record({ type: 'cut', range: id, task, at: cutAt, rest: restId(draft.state, range), rows });
    return;
  }
  const refusal = refusals.get(task);
  if (refusal?.call !== 'cut_task' || refusal.status === 0 || refusal.status === 429) return;
  draft.rememberTask(task, { cutRefusedMs: nowMs });
  draft.record({ type: 'cut_refused', range: id, task });
}
