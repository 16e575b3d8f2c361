import type { DescribedDefinition } from '../../../definition/definition.ts';

/** The names under which every arm writes, on every kind of sink. */
export const INDEX = 'bench';
export const WRITE_ALIAS = 'bench-write-1';
export const DEAD_LETTER_ALIAS = 'bench-dead-letters-write-1';

export type SinkKind = 'null' | 'opensearch';

/** What stands behind `_bulk`. */
export interface Sink {
  readonly kind: SinkKind;
  /** In the output, e.g. `OpenSearch 3.6.0`. */
  readonly name: string;
  readonly url: string;
  /** Makes it empty, with an index for these documents. */
  reset(described: DescribedDefinition): Promise<void>;
  /** How many documents it holds, or got since `reset`. */
  documents(): Promise<number>;
  stop(): Promise<void>;
}
