import type { Dependency, TaskStatus } from '../../worker/contract.ts';

/** What one tick saw. The loop remembers nothing of it: the next tick sees again whatever matters. */
export interface Observation {
  /** When the look was taken, by the wall clock, in ISO 8601. It is for records, never for decisions on time-outs. */
  readonly at: string;
  /** The fleet's desired capacity now. */
  readonly desired: number;
  readonly instances: readonly ObservedInstance[];
  /** True when the look is never stale: an instance that it does not show is gone. */
  readonly exact: boolean;
  /** Why nothing may be launched any more, see `FleetView`. Null when instances may be launched. */
  readonly launchFault: string | null;
  /** Launches that failed since the run began, newest first, in the cloud's words. */
  readonly launchFailures: readonly LaunchFailure[];
  /** What each running instance's worker answered. */
  readonly workers: ReadonlyMap<string, WorkerAnswer>;
  /** What workers refused since the last tick. */
  readonly refusals: readonly TaskRefusal[];
  /**
   * Instances whose terminate call of the last tick certainly did nothing. There were too many calls, so it was refused
   * or not sent.
   */
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
  /** The run that launched it. Null when unknown. Instances of other runs are brought to zero first. */
  readonly run: string | null;
  /** Why it ended, in the fleet's words, with the last lines of its log if there are any. */
  readonly detail: string | null;
  /** Why it must do no work, though its worker may answer: it does not match the run's pin. Null when it matches. */
  readonly misfit: string | null;
  /**
   * When it was launched and when it ended, by the cloud's clock, in ISO 8601. Null when that is not known, or it has
   * not ended.
   */
  readonly launchedAt: string | null;
  readonly endedAt: string | null;
}

export type WorkerAnswer =
  | { readonly reachable: false; readonly error: string }
  | {
      readonly reachable: true;
      /** False when it is booted, but cannot reach its database or cluster. */
      readonly ready: boolean;
      /** What it says that it cannot reach. Empty when it is ready, or does not say. */
      readonly unreachable: readonly Dependency[];
      /** True when it takes no more tasks and ends after its last one. */
      readonly draining: boolean;
      readonly build: string;
      readonly workerId: string;
      /** The tasks that this run has given to this worker, by task id. Null when the worker does not know a task. */
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
  /** The HTTP status. 0 means that there was no answer, and nobody knows whether the call took effect. */
  readonly status: number;
  readonly message: string;
}

/**
 * An instance's answer if its worker is of this build and has the instance's name. Otherwise null, because it is not to
 * be believed.
 */
export function ownAnswer(
  answer: WorkerAnswer | undefined,
  instance: string,
  build: string,
): Extract<WorkerAnswer, { reachable: true }> | null {
  const isOwn = answer?.reachable === true && answer.workerId === instance && answer.build === build;
  return isOwn ? answer : null;
}

/** The part of a view that a fleet without launch faults has. */
export const PLAIN_FLEET = { launchFault: null, launchFailures: [] } as const;
/** The details of an instance of which only its presence is known. */
export const PLAIN_INSTANCE = { detail: null, misfit: null, launchedAt: null, endedAt: null } as const;
