import type { IndexDefinition } from '../../definition/definition.ts';
import type { KeyBytes } from '../key/key-bytes.ts';
import type { WorkerSettings } from '../settings.ts';
import type { BatchShare } from './batch-pool.ts';
import type { Target } from './target.ts';

/** A kind of targets: one folder beside this file, and a line in `kinds.ts`. */
export interface TargetKind<Spec> {
  /** Room that a batch needs beside its largest document. */
  readonly framingBytes: number;
  /** Makes what all tasks of a worker share; nothing is connected before it is needed. */
  connect(settings: WorkerSettings, connections: number): TargetConnection<Spec>;
}

export interface TargetConnection<Spec> {
  open(spec: Spec, task: TargetTask): Target;
  close(): Promise<void>;
}

/** What a target needs to know of its task. */
export interface TargetTask {
  readonly definition: IndexDefinition;
  readonly keys: KeyBytes;
  readonly share: BatchShare;
  /** What this target may have on its way. */
  readonly maxBytesInFlight: number;
  /** Ends all waiting and sending at once. */
  readonly signal: AbortSignal;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
}
