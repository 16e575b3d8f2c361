import type { FleetPin } from './fleet-pin.ts';

/**
 * What a run's journal records. An event that stands for a call is written before the call is made; what is then
 * seen is another event. Keys are texts, as on the wire. Events are JSON and are never changed in meaning:
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
  | ({ readonly type: 'planned' } & RunPlan)
  /** `numbers`: of the planned ranges that the pass reads; null: all of them, the main pass. */
  | { readonly type: 'pass_opened'; readonly pass: number; readonly numbers: readonly string[] | null }
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
  /** The task's end is to be moved down to `at`; whether it was is seen in its status. */
  | { readonly type: 'cut_intended'; readonly range: string; readonly task: string; readonly at: string }
  /** It was: what lies from `at` on is a range of its own, `rest`, of about `rows` rows. */
  | {
      readonly type: 'cut';
      readonly range: string;
      readonly task: string;
      readonly at: string;
      readonly rest: string;
      readonly rows: number;
    }
  /** It was not, for the task had read too far. */
  | { readonly type: 'cut_refused'; readonly range: string; readonly task: string }
  /** What the run's instances are launched from. */
  | { readonly type: 'fleet_pinned'; readonly pin: FleetPin }
  /** The fleet was seen at zero: whatever is launched from now on is this run's. `earlier`: what had ended by then. */
  | { readonly type: 'fleet_cleared'; readonly earlier: readonly string[] }
  /** An instance of this run; times by the cloud's clock. */
  | { readonly type: 'instance_launched'; readonly instance: string; readonly at: string }
  /** `seen`: it was seen to end; else it was only found gone, and may have ended long before. */
  | {
      readonly type: 'instance_ended';
      readonly instance: string;
      readonly at: string;
      readonly seen: boolean;
    }
  /** The cloud had no more: the pass goes on with so many workers. */
  | { readonly type: 'capacity_limited'; readonly workers: number; readonly reason: string }
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

/** What is read, in key order: every key that there can be lies in exactly one range. */
export interface RunPlan {
  /** Name of the kind of its keys, see `KeyKind`. */
  readonly keyKind: string;
  readonly ranges: readonly PlannedRange[];
  /** Least and greatest key of the table when the run was planned; null: it was empty. */
  readonly bounds: { readonly min: string; readonly max: string } | null;
}

export interface PlannedRange {
  /** `0007`: the same in every pass. */
  readonly number: string;
  readonly start: string | null;
  readonly end: string | null;
  /** Expected rows and their bytes in the table. */
  readonly rows: number;
  readonly bytes: number;
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
