import type { Dependency, TaskStatus } from '../../worker/contract.ts';

/** What one tick saw. Nothing here is remembered by the loop: whatever matters is seen again at the next tick. */
export interface Observation {
  /** When the look was taken, by the wall's clock, ISO 8601: for records, never for decisions on time-outs. */
  readonly at: string;
  /** The fleet's desired capacity now. */
  readonly desired: number;
  readonly instances: readonly ObservedInstance[];
  /** The look at the fleet is as things are now: an instance that it does not show is gone. Else it may be stale. */
  readonly exact: boolean;
  /** Why nothing may be launched any more, see `FleetView`; null: it may. */
  readonly launchFault: string | null;
  /** Launches that failed since the run began, newest first, in the cloud's words. */
  readonly launchFailures: readonly LaunchFailure[];
  /** What each running instance's worker answered. */
  readonly workers: ReadonlyMap<string, WorkerAnswer>;
  /** What workers refused since the last tick. */
  readonly refusals: readonly TaskRefusal[];
  /** Instances whose terminate call of the last tick certainly did nothing: too many calls were made, and it was refused or not sent. */
  readonly untold: ReadonlySet<string>;
}

export interface LaunchFailure {
  /** ISO 8601. */
  readonly at: string;
  /** What the cloud says, e.g. `InsufficientInstanceCapacity: …`. */
  readonly reason: string;
}

export interface ObservedInstance {
  readonly id: string;
  readonly phase: 'pending' | 'running' | 'terminating' | 'gone';
  /** The run that launched it; null: unknown. Instances of others are brought to zero first. */
  readonly run: string | null;
  /** Why it ended, in the fleet's words, with the last lines of its log where there are any. */
  readonly detail: string | null;
  /** Why it must do no work, though its worker may answer: it is not what the run is pinned to; null: it is. */
  readonly misfit: string | null;
  /** When it was launched and when it ended, by the cloud's clock, ISO 8601; null: not known, or it has not ended. */
  readonly launchedAt: string | null;
  readonly endedAt: string | null;
}

export type WorkerAnswer =
  | { readonly reachable: false; readonly error: string }
  | {
      readonly reachable: true;
      /** False: booted, but its database or cluster cannot be reached. */
      readonly ready: boolean;
      /** What it says that it cannot reach; empty where it is ready, or does not say. */
      readonly unreachable: readonly Dependency[];
      /** It takes no more tasks and ends after its last. */
      readonly draining: boolean;
      readonly build: string;
      readonly workerId: string;
      /** By task id, for the tasks that this run has given to this worker; null: the worker does not know it. */
      readonly tasks: Readonly<Record<string, TaskStatus | null>>;
      /**
       * Tasks that the worker works on, or has in its queue, and that this run has not given to it. Only a worker that is
       * adopted is asked for them; of one that was adopted before there are none.
       */
      readonly strayTasks: readonly string[];
    };

export interface TaskRefusal {
  readonly call: 'post_task' | 'cut_task';
  readonly task: string;
  /** HTTP status; 0: there was no answer, and whether the call took effect is not known. */
  readonly status: number;
  readonly message: string;
}

/** The answer of the worker that belongs there: of this build, and called by its instance's name. Null: it is not to be believed. */
export function ownAnswer(
  answer: WorkerAnswer | undefined,
  instance: string,
  build: string,
): Extract<WorkerAnswer, { reachable: true }> | null {
  const isOwn = answer?.reachable === true && answer.workerId === instance && answer.build === build;
  return isOwn ? answer : null;
}

/** Of a fleet that never says why nothing is launched. */
export const PLAIN_FLEET = { launchFault: null, launchFailures: [] } as const;
/** Of an instance of which nothing more is known than that it is there. */
export const PLAIN_INSTANCE = { detail: null, misfit: null, launchedAt: null, endedAt: null } as const;
