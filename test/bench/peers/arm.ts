import type { DescribedDefinition } from '../../../definition/definition.ts';
import type { Usage } from '../process-usage.ts';
import type { Rows } from '../sample-table.ts';
import type { SinkKind } from '../sinks/sink.ts';

/** What every arm reads, and where it writes it. */
export interface Work {
  readonly databaseUrl: string;
  /** Processor time that the database's processes took so far. */
  readonly databaseCpuSeconds: () => Promise<number>;
  readonly table: string;
  readonly rows: Rows;
  readonly sinkUrl: string;
  readonly described: DescribedDefinition;
}

/** A process of an arm that has started and waits for the word to begin. */
export interface StartedArm {
  /** Writes all documents once; the seconds from the word to the last answer. */
  run(): Promise<number>;
  usage(): Promise<Usage>;
  stop(): Promise<void>;
}

/** One way to bring rows of PostgreSQL into a search index. */
export interface Arm {
  /** Short, without blanks: for `--arms`. */
  readonly name: string;
  readonly family: 'ours' | 'JavaScript' | 'Python';
  /** In one line, what a user does who takes it. */
  readonly way: string;
  /** Why it cannot write to such a sink; null if it can. */
  readonly refusal: (sink: SinkKind) => string | null;
  start(work: Work): Promise<StartedArm>;
}
