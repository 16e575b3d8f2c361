import { type Key, keyFrom } from '../../definition/key/key-kind.ts';
import type { Draft } from './draft.ts';
import { rateOf } from './memory.ts';
import { ownAnswer, type TaskRefusal } from './observation.ts';
import type { AssignedRange } from './range-state.ts';
import { restId } from './state.ts';

/**
 * Gives the rest of running ranges to workers that have nothing to do, so that all workers end at about the same time.
 * Returns the idle workers for which there is no rest, now or soon.
 *
 * Three steps make a cut exact. First it is journalled as intended. Then the worker is told (`PATCH /task/{id}`; it
 * refuses when it has read as far). Only when the task's own status shows the new end does the rest become a range. If
 * a worker dies in between, its whole range comes back, whether it had heard of the cut or not.
 */
export function shareRest(draft: Draft, idle: readonly string[]): readonly string[] {
  callAgain(draft);
  if (draft.waits) return [];
  let thieves = idle.slice(draft.assignedRanges.filter(({ cutAt }) => cutAt !== null).length);
  for (const worker of busyWorkers(draft)) {
    const [thief, ...others] = thieves;
    if (thief === undefined) break;
    const outcome =
      worker.leftMs > draft.limits.shareLeastMs
        ? takeFrom(draft, worker, rateOfWorker(draft, thief))
        : 'nothing';
    // A range that has only just begun may turn out slow, and a worker that refused may not refuse the next time.
    if (outcome !== 'nothing' || worker.isNew) thieves = others;
  }
  return thieves;
}

interface BusyWorker {
  readonly id: string;
  readonly running: AssignedRange;
  /** The range that waits in the worker's queue. */
  readonly queued: AssignedRange | null;
  /** Null while nothing is known of its pace. */
  readonly rowsPerMs: number | null;
  /** True when its running range was not yet seen to move. Then the pace is that of the range before. */
  readonly isNew: boolean;
  /** The rows left in the running range. */
  readonly rowsLeft: number;
  /** The time until everything that it has is done. Infinite while its pace is not known. */
  readonly leftMs: number;
}

/** The busy workers, with the one that has longest to go first. */
function busyWorkers(draft: Draft): BusyWorker[] {
  const ids = new Set(draft.assignedRanges.map(({ instance }) => instance));
  const workers = [...ids].flatMap((id) => busyWorker(draft, id) ?? []);
  return workers.sort((a, b) => (b.leftMs === a.leftMs ? 0 : b.leftMs - a.leftMs));
}

function busyWorker(draft: Draft, id: string): BusyWorker | null {
  const ranges = draft.rangesOf(id).filter((range) => draft.taskOf(range)?.status?.active !== false);
  const reads = (range: AssignedRange): boolean => (draft.taskOf(range)?.status?.rows_read ?? 0) > 0;
  const running = ranges.find(reads) ?? ranges[0];
  if (running === undefined || running.cutAt !== null) return null;
  const queued = ranges.find((range) => range !== running && !reads(range)) ?? null;
  const pace = rateOf(draft.taskOf(running), draft.nowMs);
  const rowsPerMs = pace ?? rateOfWorker(draft, id);
  const rowsLeft = leftOf(draft, running);
  const leftMs = rowsPerMs === null ? Number.POSITIVE_INFINITY : (rowsLeft + (queued?.rows ?? 0)) / rowsPerMs;
  return { id, running, queued, rowsPerMs, isNew: pace === null, rowsLeft, leftMs };
}

/** The plan's estimate less what was read. A range with more rows than planned counts as having a twentieth left. */
function leftOf(draft: Draft, range: AssignedRange): number {
  const read = draft.taskOf(range)?.status?.rows_read ?? 0;
  return Math.max(range.rows - read, read / 20);
}

function rateOfWorker(draft: Draft, instance: string): number | null {
  return draft.memory.instances.get(instance)?.rowsPerMs ?? null;
}

/** Takes a waiting task, else a part of the running one. Otherwise says whether there will be something soon. */
function takeFrom(
  draft: Draft,
  { id, running, queued, rowsPerMs, rowsLeft }: BusyWorker,
  knownRate: number | null,
): 'taken' | 'soon' | 'nothing' {
  const { shareLeastMs } = draft.limits;
  if (queued !== null) {
    draft.effects.push({ type: 'cancel_task', instance: id, task: queued.task });
    return 'taken';
  }
  const refusedMs = draft.taskOf(running)?.cutRefusedMs ?? Number.NEGATIVE_INFINITY;
  if (rowsPerMs === null || draft.nowMs - refusedMs < shareLeastMs) return 'soon';
  const thiefRate = knownRate ?? rowsPerMs;
  const kept = rowsPerMs / (rowsPerMs + thiefRate);
  const at = keyAtShare(draft, running, kept);
  // The time that the slow worker saves. The idle worker may need only a moment for the same rows.
  const sparedMs = (rowsLeft * (1 - kept)) / rowsPerMs;
  if (at === null || sparedMs < shareLeastMs / 2) return 'nothing';
  draft.record({ type: 'cut_intended', range: running.id, task: running.task, at });
  draft.effects.push({ type: 'cut_task', instance: id, task: running.task, at });
  return 'taken';
}

/**
 * The key at a share of the way from the settled key to the range's end. Null when nothing lies in between. Nobody
 * knows where the rows are. If they are spread unevenly, the part that was given away ends soon, and another cut
 * follows.
 */
function keyAtShare(draft: Draft, range: AssignedRange, share: number): string | null {
  const { keyKind } = draft;
  const rest = restOf(draft, range);
  // Both keep at least one key, however slow one of them is.
  const at = rest === null ? null : keyKind.between(rest.from, rest.to, share);
  return at === null ? null : keyKind.format(at);
}

/** The share of the remaining keys that lies from `at` on. */
function shareBehind(draft: Draft, range: AssignedRange, at: string): number {
  const { keyKind } = draft;
  const rest = restOf(draft, range);
  if (rest === null || keyKind.compare(rest.to, rest.from) <= 0) return 0;
  return keyKind.distance(keyFrom(keyKind, at), rest.to) / keyKind.distance(rest.from, rest.to);
}

/**
 * The unsettled keys of a range. An open end counts as the table's bound. Null when the bounds are not known, or
 * nothing is left.
 */
function restOf(draft: Draft, range: AssignedRange): { readonly from: Key; readonly to: Key } | null {
  const { keyKind } = draft;
  const bounds = draft.state.plan?.bounds ?? null;
  const through = draft.taskOf(range)?.status?.settled_through ?? null;
  const [start, end] = [range.start ?? bounds?.min, range.end ?? bounds?.max];
  if (end === undefined || (through === null && start === undefined)) return null;
  const from = through === null ? keyFrom(keyKind, start ?? '') : keyKind.after(keyFrom(keyKind, through));
  return from === null ? null : { from, to: keyFrom(keyKind, end) };
}

/** Tells the task its new end again, until its status shows the end. The same end again changes nothing. */
function callAgain({ observation, limits, assignedRanges, effects }: Draft): void {
  for (const { instance, task, cutAt } of assignedRanges) {
    if (cutAt === null) continue;
    if (ownAnswer(observation.workers.get(instance), instance, limits.build) !== null)
      effects.push({ type: 'cut_task', instance, task, at: cutAt });
  }
}

/** Records what became of an intended cut, once the task's status or the worker's refusal shows it. */
export function noteCut(draft: Draft, id: string, refusals: ReadonlyMap<string, TaskRefusal>): void {
  const range = draft.state.open.get(id);
  if (range?.status !== 'assigned' || range.cutAt === null) return;
  const { task, cutAt } = range;
  const memory = draft.taskOf(range);
  if (memory?.contradicted === false && memory.status?.end_index === cutAt) {
    const rowsLeft = Math.max(0, range.rows - memory.status.rows_read);
    const rows = Math.round(rowsLeft * shareBehind(draft, range, cutAt));
    draft.record({ type: 'cut', range: id, task, at: cutAt, rest: restId(draft.state, range), rows });
    return;
  }
  const refusal = refusals.get(task);
  if (refusal?.call !== 'cut_task' || refusal.status === 0 || refusal.status === 429) return;
  draft.rememberTask(task, { cutRefusedMs: draft.nowMs });
  draft.record({ type: 'cut_refused', range: id, task });
}
