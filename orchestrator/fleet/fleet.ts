import type { LaunchFailure, ObservedInstance } from '../reconcile/observation.ts';

/**
 * The port to whatever runs workers: local processes, an Auto Scaling group, Kubernetes. Its calls are those of a group
 * with a desired capacity. The group keeps as many instances as desired, and replaces an instance that ends by itself.
 * On a platform without such groups, the fleet is opened with the desired capacity from the run's journal.
 *
 * Nothing below this port retries a call that changes something. The next `observe` shows what the call did. A call
 * that rejects with Throttled certainly did nothing.
 */
export interface Fleet {
  /** Shows the whole fleet. It changes nothing. */
  observe(): Promise<FleetView>;
  /** Sets the desired capacity to a number. The call may be repeated. */
  setDesired(count: number): Promise<void>;
  /**
   * Terminates an instance. With decrement the desired capacity falls by one. Without it another instance is launched
   * in its place.
   */
  terminate(instance: string, options: { readonly decrement: boolean }): Promise<void>;
  /** Ends everything that must not outlive this process. */
  close(): Promise<void>;
}

export interface FleetView {
  readonly desired: number;
  readonly instances: readonly FleetInstance[];
  /** True when a view is never stale: an instance that it does not show is gone. */
  readonly exact: boolean;
  /** Why nothing may be launched any more: the fleet no longer matches the run's pin. Null when it matches. */
  readonly launchFault: string | null;
  /** Launches that failed since the run began, newest first, in the cloud's words. */
  readonly launchFailures: readonly LaunchFailure[];
}

export interface FleetInstance extends ObservedInstance {
  /** Where its worker listens. Null while that is not known. */
  readonly url: string | null;
}

/** Whether an instance costs money and is neither ending nor gone. */
export function isLive({ phase }: FleetInstance): boolean {
  return phase === 'pending' || phase === 'running';
}
