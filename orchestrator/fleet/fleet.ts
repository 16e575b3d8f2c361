import type { LaunchFailure, ObservedInstance } from '../reconcile/observation.ts';

/**
 * The port to whatever runs workers: local processes, an Auto Scaling group, Kubernetes. Its calls are those of a
 * group with a desired capacity, which keeps as many instances as desired and replaces what ends by itself. Where the
 * platform has no such group, the fleet is opened with what the run's journal says is desired.
 * No call that changes something is retried below this port: what it did is seen by the next `observe`. One that rejects
 * with Throttled certainly did nothing.
 */
export interface Fleet {
  /** The whole fleet. A look changes nothing. */
  observe(): Promise<FleetView>;
  /** Sets the desired capacity outright; may be repeated. */
  setDesired(count: number): Promise<void>;
  /** With decrement, the desired capacity falls by one; without, another instance is launched in its place. */
  terminate(instance: string, options: { readonly decrement: boolean }): Promise<void>;
  /** Ends everything that must not outlive this process. */
  close(): Promise<void>;
}

export interface FleetView {
  readonly desired: number;
  readonly instances: readonly FleetInstance[];
  /** True where a view is never stale: an instance that it does not show is gone. */
  readonly exact: boolean;
  /** Why nothing may be launched any more: the fleet is not what the run is pinned to; null: it is. */
  readonly launchFault: string | null;
  /** Launches that failed since the run began, newest first, in the cloud's words. */
  readonly launchFailures: readonly LaunchFailure[];
}

export interface FleetInstance extends ObservedInstance {
  /** Where its worker listens; null while that is not known. */
  readonly url: string | null;
}

/** It costs, and is neither ending nor gone. */
export function isLive({ phase }: FleetInstance): boolean {
  return phase === 'pending' || phase === 'running';
}
