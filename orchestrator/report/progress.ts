import { type Accounting, type Cost, costOf } from '../plan/cost.ts';
import { instanceUse } from '../reconcile/account-instances.ts';
import { addCounts, type Counts, countsOf } from '../reconcile/counts.ts';
import type { Memory } from '../reconcile/memory.ts';
import type { Observation } from '../reconcile/observation.ts';
import { rangeCounts, type RunState } from '../reconcile/state.ts';
import type { Estimate } from './eta.ts';

/** The progress of a pass. Only settled rows count, so nothing is shown as done that could still be lost. */
export interface Progress {
  readonly pass: number;
  readonly counts: Counts;
  /** The rows that the plan expects. The table may have changed since. */
  readonly rowsExpected: number;
  readonly ranges: { readonly done: number; readonly total: number };
  /** A worker that cannot reach its database or cluster yet counts as starting. */
  readonly workers: { readonly working: number; readonly idle: number; readonly starting: number };
  /** What running tasks wait for now, e.g. `cluster`. Empty while they move. */
  readonly waitingFor: readonly string[];
  /** What the run's instances have cost so far. Null when nobody can say. */
  readonly cost: Cost | null;
  readonly estimate: Estimate;
}

export type PassFigures = Omit<Progress, 'estimate'>;

/** The figures of one tick, before rates and estimates. */
export function passFiguresOf(
  state: RunState,
  memory: Memory,
  observation: Observation,
  accounting: Accounting | null,
): PassFigures {
  const running = [...state.open.values()]
    .filter((range) => range.status === 'assigned')
    .flatMap((range) => memory.tasks.get(range.task)?.status ?? []);
  const { done, total } = rangeCounts(state);
  return {
    pass: state.lastPass,
    counts: running.map(countsOf).reduce(addCounts, state.counts),
    rowsExpected: rowsExpected(state),
    ranges: { done, total },
    workers: countWorkers(state, observation),
    waitingFor: [
      ...new Set(running.map((status) => status.waiting_for).filter((dependency) => dependency !== null)),
    ],
    cost: costSoFar(state, observation.at, accounting),
  };
}

function rowsExpected({ pass, order }: RunState): number {
  if (pass?.reads.kind === 'changed-since') return pass.reads.rows;
  return order.reduce((sum, range) => sum + range.rows, 0);
}

function costSoFar(state: RunState, at: string, accounting: Accounting | null): Cost | null {
  const price = accounting?.price ?? null;
  return accounting === null || price === null
    ? null
    : costOf(instanceUse(state, at, accounting.billing), price);
}

function countWorkers(state: RunState, observation: Observation): Progress['workers'] {
  const working = new Set(
    [...state.open.values()].flatMap((range) => (range.status === 'assigned' ? [range.instance] : [])),
  );
  const alive = observation.instances.filter(
    (instance) => instance.phase === 'pending' || instance.phase === 'running',
  );
  const kinds = alive.map(({ id }) => {
    const answer = observation.workers.get(id);
    if (answer?.reachable !== true) return 'starting';
    if (working.has(id)) return 'working';
    return answer.ready ? 'idle' : 'starting';
  });
  const count = (kind: keyof Progress['workers']): number => kinds.filter((other) => other === kind).length;
  return { working: count('working'), idle: count('idle'), starting: count('starting') };
}
