import type { TaskTarget } from '../contract.ts';
import type { WorkerSettings } from '../settings.ts';
import { BULK } from './bulk/kind.ts';
import type { Target } from './target.ts';
import type { TargetConnection, TargetKind, TargetTask } from './target-kind.ts';

type KindName = TaskTarget['kind'];
type SpecOf<Name extends KindName> = Extract<TaskTarget, { kind: Name }>;
type Kinds = { readonly [Name in KindName]: TargetKind<SpecOf<Name>> };
type Connections = { readonly [Name in KindName]: TargetConnection<SpecOf<Name>> };

/** Every kind of targets that there is. */
const KINDS: Kinds = { bulk: BULK };

/** Room that a batch of any kind needs beside its largest document. */
export const MOST_FRAMING_BYTES = Math.max(...Object.values(KINDS).map(({ framingBytes }) => framingBytes));

/** A worker's connections to targets of every kind; they stay open between tasks. */
export class TargetConnections {
  readonly #connections: Connections;

  /** @param connections how many may be open at most, of each kind */
  constructor(settings: WorkerSettings, connections: number) {
    this.#connections = { bulk: KINDS.bulk.connect(settings, connections) };
  }

  open<Name extends KindName>(spec: SpecOf<Name> & { readonly kind: Name }, task: TargetTask): Target {
    return this.#connections[spec.kind].open(spec, task);
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.#connections).map((connection) => connection.close()));
  }
}
