import type { Draft, Limits } from './draft.ts';
import type { RunPlan } from './events.ts';
import { rateOf } from './memory.ts';
import { type Observation, ownAnswer, type TaskRefusal } from './observation.ts';
import { type RangeState, restId } from './state.ts';

/**
 * Gives the rest of running ranges to workers that have nothing to do, so that all of them end at about the same time.
 * Returns those of them for which nothing is to be had, now or soon.
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
): readonly string[] {
  callAgain(draft, observation, limits);
  if (draft.waits) return [];
  let thieves = idle.slice(draft.openRanges.filter(({ cutAt }) => cutAt !== null).length);
  for (const worker of busyWorkers(draft, nowMs)) {
    const [thief, ...others] = thieves;
    if (thief === undefined) break;
    const outcome =
      worker.leftMs > limits.shareLeastMs
        ? takeFrom(draft, worker, rateOfWorker(draft, thief), nowMs, limits)
        : 'nothing';
    // A range that was only just begun may turn out slow, and a worker that has refused may not the next time.
    if (outcome !== 'nothing' || worker.isNew) thieves = others;
  }
  return thieves;
}

interface BusyWorker {
  readonly id: string;
  readonly running: RangeState;
  /** Waits in the worker's queue. */
  readonly queued: RangeState | null;
  /** Null: nothing is known of its pace yet. */
  readonly rowsPerMs: number | null;
  /** Its running range has not been seen to move yet, and the pace is that of the one before. */
  readonly isNew: boolean;
  /** Of the running range. */
  readonly rowsLeft: number;
  /** Until all that it has is done; without end while its pace is not known. */
  readonly leftMs: number;
}

/** Those that have longest to go first. */
function busyWorkers(draft: Draft, nowMs: number): BusyWorker[] {
  const ids = new Set(
    draft.openRanges.flatMap(({ instance, status }) => (status === 'assigned' ? [instance ?? ''] : [])),
  );
  const workers = [...ids].flatMap((id) => busyWorker(draft, id, nowMs) ?? []);
  return workers.sort((a, b) => (b.leftMs === a.leftMs ? 0 : b.leftMs - a.leftMs));
}

function busyWorker(draft: Draft, id: string, nowMs: number): BusyWorker | null {
  const ranges = draft.rangesOf(id).filter((range) => draft.taskOf(range)?.status?.active !== false);
  const reads = (range: RangeState): boolean => (draft.taskOf(range)?.status?.rows_read ?? 0) > 0;
  const running = ranges.find(reads) ?? ranges[0];
  if (running === undefined || running.cutAt !== null) return null;
  const queued = ranges.find((range) => range !== running && !reads(range)) ?? null;
  const pace = rateOf(draft.taskOf(running), nowMs);
  const rowsPerMs = pace ?? rateOfWorker(draft, id);
  const rowsLeft = leftOf(draft, running);
  const leftMs = rowsPerMs === null ? Number.POSITIVE_INFINITY : (rowsLeft + (queued?.rows ?? 0)) / rowsPerMs;
  return { id, running, queued, rowsPerMs, isNew: pace === null, rowsLeft, leftMs };
}

/** The plan's estimate less what was read; a range that has more rows than planned has a twentieth of them left. */
function leftOf(draft: Draft, range: RangeState): number {
  const read = draft.taskOf(range)?.status?.rows_read ?? 0;
  return Math.max(range.rows - read, read / 20);
}

function rateOfWorker(draft: Draft, instance: string): number | null {
  return draft.memory.instances.get(instance)?.rowsPerMs ?? null;
}

/** Takes a task that waits, else a part of the one that runs; or says whether there will be something soon. */
function takeFrom(
  draft: Draft,
  { id, running, queued, rowsPerMs, rowsLeft }: BusyWorker,
  knownRate: number | null,
  nowMs: number,
  limits: Limits,
): 'taken' | 'soon' | 'nothing' {
  if (queued?.task != null) {
    draft.effects.push({ type: 'cancel_task', instance: id, task: queued.task });
    return 'taken';
  }
  const task = draft.taskOf(running);
  const refusedMs = task?.cutRefusedMs ?? Number.NEGATIVE_INFINITY;
  if (running.task === null || rowsPerMs === null || nowMs - refusedMs < limits.shareLeastMs) return 'soon';
  const thiefRate = knownRate ?? rowsPerMs;
  const kept = rowsPerMs / (rowsPerMs + thiefRate);
  const settled = task?.status?.settled_through ?? null;
  const at = keyAtShare(running, settled, kept, draft.state.plan?.bounds ?? null);
  // What the slow one is spared: the idle one may need but a moment for it.
  const sparedMs = (rowsLeft * (1 - kept)) / rowsPerMs;
  if (at === null || sparedMs < limits.shareLeastMs / 2) return 'nothing';
  draft.record({ type: 'cut_intended', range: running.id, task: running.task, at });
  draft.effects.push({ type: 'cut_task', instance: id, task: running.task, at });
  return 'taken';
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
  if (from === null || to === null || to - from < 2n) return null;
  const at = from + ((to - from) * BigInt(Math.round(share * PARTS))) / BigInt(PARTS);
  // Both keep at least a key, however slow one is beside the other.
  return (at <= from ? from + 1n : at >= to ? to - 1n : at).toString();
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
    if (ownAnswer(observation.workers.get(instance), instance, limits.build) !== null)
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
