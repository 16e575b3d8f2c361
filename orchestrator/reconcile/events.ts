/**
 * What a run's journal records. An event that stands for a call is written before the call is made; what is then
 * seen is another event. Keys are decimal strings, as on the wire. Events are JSON and are never changed in meaning:
 * a new meaning is a new type.
 */
export type RunEvent =
  | ({ readonly type: 'run_started' } & RunIdentity)
  | { readonly type: 'phase_started'; readonly phase: Phase; readonly at: string }
  | {
      readonly type: 'phase_finished';
      readonly phase: Phase;
      readonly at: string;
      readonly record: PhaseRecord;
    }
  | { readonly type: 'pass_opened'; readonly pass: number; readonly ranges: readonly PlannedRange[] }
  | { readonly type: 'pass_resumed' }
  | { readonly type: 'target_lost'; readonly reason: string }
  | {
      readonly type: 'assigned';
      readonly range: string;
      readonly attempt: number;
      readonly instance: string;
      readonly task: string;
    }
  | SettledEvent
  | { readonly type: 'desired_set'; readonly count: number }
  | {
      readonly type: 'terminating';
      readonly instance: string;
      readonly decrement: boolean;
      readonly replaced: boolean;
      readonly reason: string;
    }
  | { readonly type: 'stopped'; readonly reason: string }
  | { readonly type: 'promotion_intended'; readonly record: PhaseRecord }
  | { readonly type: 'promoted'; readonly record: PhaseRecord }
  | { readonly type: 'rolled_back'; readonly at: string; readonly record: PhaseRecord }
  | { readonly type: 'finished'; readonly at: string; readonly result: PhaseRecord }
  | { readonly type: 'abandoned'; readonly at: string };

/**
 * What a task had settled when it ended or was lost. `through` is the last key, inclusive; null: none.
 * `outcome`: the whole range is done, or the rest waits again; `charged`: the attempt counts against the range.
 */
export interface SettledEvent {
  readonly type: 'settled';
  readonly range: string;
  readonly task: string;
  readonly through: string | null;
  readonly counts: Counts;
  readonly outcome: 'done' | 'rest_waits' | 'failed';
  readonly charged: boolean;
  readonly reason: string | null;
}

export interface RunIdentity {
  readonly run: string;
  readonly runKey: string;
  readonly fleet: string;
  readonly alias: string;
  readonly definition: string;
  /** Digest of the definition and of its columns' types, joined by a dot. */
  readonly definitionDigest: string;
  readonly build: string;
  /** Which table of which database is read, beyond their names. */
  readonly source: string;
  readonly startedAt: string;
  /** Rows that the plan expects, and whether they were counted. */
  readonly rows: number;
  readonly rowsExact: boolean;
}

export type Phase =
  | 'plan'
  | 'claim'
  | 'create-index'
  | 'reindex'
  | 'finalize'
  | 'validate'
  | 'promote'
  | 'retain'
  | 'release';

/** Plain JSON, as a phase returns it. */
export type PhaseRecord = Readonly<Record<string, unknown>>;

export interface PlannedRange {
  readonly id: string;
  readonly start: string | null;
  readonly end: string | null;
  /** Expected rows; orders the work, longest first. */
  readonly rows: number;
}

/** Outcomes of rows. `rowsRead` = filtered + indexed + superseded + deadLetters, always. */
export interface Counts {
  readonly rowsRead: number;
  readonly filtered: number;
  readonly indexed: number;
  readonly superseded: number;
  readonly deadLetters: number;
  readonly bytesSent: number;
  readonly retries: number;
}
