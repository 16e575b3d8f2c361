import fc from 'fast-check';
import { LOCK_LEASE_MS, WORKER_LEASE_MS } from './leases.ts';

/**
 * What happens in one round, and when. It is pure and chosen by a seed alone. Durations differ from one time to the
 * next, so the same plan need not meet the run at the same row.
 */
export interface Plan {
  readonly seed: number;
  readonly table: TablePlan;
  readonly workers: number;
  readonly ranges: number;
  /** They run one after the other on the same services. Each but the first moves the alias from the index before. */
  readonly runs: readonly RunPlan[];
}

/** What happens to one run, from its first command on. */
export interface RunPlan {
  readonly faults: readonly Fault[];
  /** Null when the table does not change. */
  readonly changes: ChangesPlan | null;
  readonly again: AgainPlan;
}

export interface TablePlan {
  readonly rows: number;
  readonly firstKey: number;
  readonly nullPercent: number;
  readonly hiddenPercent: number;
  /** Rows whose document is larger than the definition allows, and rows that break an expression. */
  readonly largeRows: number;
  readonly faultyRows: number;
  /** How long a worker waits for each row that it reads, so that there is time for faults. */
  readonly paceMs: number;
}

export interface ChangesPlan {
  readonly what: 'inserts' | 'deletions' | 'both';
  readonly everyMs: number;
  /** With `finalize` the changes end before the proof; with `validate` they end so many milliseconds into the proof. */
  readonly endAt: Moment;
}

/** How the command is repeated after it ended without success. */
export interface AgainPlan {
  /** The pauses before each repetition, used in turns. */
  readonly afterMs: readonly number[];
  /** Whether the repetition waits until database and search node are back. */
  readonly waitsForServices: boolean;
  /** Whether two of the same command start at once. Used in turns, from the first command on. */
  readonly twoAtOnce: readonly boolean[];
}

/** The moment when any command of the run first says that it begins this phase, and some time after it. */
export interface Moment {
  readonly phase: Phase;
  readonly afterMs: number;
}

/** `start` is the moment of the first command. The others stand in the commands' logs. */
export const PHASES = [
  'start',
  'create-index',
  'reindex',
  'finalize',
  'validate',
  'promote',
  'retain',
  'release',
] as const;
export type Phase = (typeof PHASES)[number];

/** `database` and `search` are whole services. `backend` is the one process of PostgreSQL that serves a connection. */
export const VICTIMS = ['worker', 'orchestrator', 'database', 'backend', 'search'] as const;
export type Victim = (typeof VICTIMS)[number];

export const CUTS = ['connections', 'refuse', 'hold', 'answers'] as const;

export type Fault = { readonly moment: Moment } & (
  | {
      readonly kind: 'kill';
      readonly victim: Victim;
      /** Chooses among several victims. */
      readonly which: number;
      /** After this time a service is started again. */
      readonly backAfterMs: number;
    }
  | {
      readonly kind: 'pause';
      readonly victim: Victim;
      readonly which: number;
      readonly forMs: number;
      /** For an orchestrator: the same command is given so long after its pause began. Null: nobody gives it. */
      readonly takeOverAfterMs: number | null;
    }
  | {
      readonly kind: 'cut';
      readonly victim: 'database' | 'search';
      /**
       * `connections` cuts all that exist. `refuse` also refuses new ones for some time. `hold` lets no byte pass for
       * some time. `answers` cuts the next `which` answers in their middle.
       */
      readonly how: (typeof CUTS)[number];
      readonly which: number;
      readonly forMs: number;
    }
);

export interface PlanBounds {
  readonly mostRuns: number;
  /** The bound for each run. */
  readonly mostFaults: number;
}

/** The plan that a seed gives. The bounds are for rounds that must be short. */
export function planOf(seed: number, bounds: PlanBounds = { mostRuns: 3, mostFaults: 8 }): Plan {
  const [plan] = fc.sample(planArbitrary(bounds), { seed, numRuns: 1, unbiased: true });
  if (plan === undefined) throw new Error('No plan was drawn.');
  return { seed, ...plan };
}

/** The seed of the round after the one with this seed. */
export function nextSeed(seed: number): number {
  const [next] = fc.sample(fc.integer({ min: 1, max: 2 ** 31 - 1 }), { seed, numRuns: 1, unbiased: true });
  return next ?? seed;
}

const ms = (min: number, max: number) => fc.integer({ min, max });
const which = fc.integer({ min: 0, max: 99 });

/** Most of a run is reading and writing, so most faults happen there. The other phases are short. */
const moment: fc.Arbitrary<Moment> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ phase: fc.constant('reindex' as const), afterMs: ms(0, 9_000) }) },
  { weight: 4, arbitrary: fc.record({ phase: fc.constantFrom(...PHASES), afterMs: ms(0, 600) }) },
);

/** Pauses shorter than every lease, longer than the lock's lease, and longer than the worker's. */
const pauseMs = fc.oneof(
  ms(200, LOCK_LEASE_MS / 2),
  ms(LOCK_LEASE_MS * 1.4, WORKER_LEASE_MS * 0.8),
  ms(WORKER_LEASE_MS * 1.4, WORKER_LEASE_MS * 2.4),
);

const victim = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('worker' as const, 'orchestrator' as const) },
  { weight: 2, arbitrary: fc.constantFrom('database' as const, 'search' as const) },
  { weight: 1, arbitrary: fc.constant('backend' as const) },
);

const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({ kind: fc.constant('kill' as const), moment, victim, which, backAfterMs: ms(0, 5_000) }),
  fc.record({
    kind: fc.constant('pause' as const),
    moment,
    victim,
    which,
    forMs: pauseMs,
    takeOverAfterMs: fc.option(ms(0, LOCK_LEASE_MS), { freq: 3 }),
  }),
  fc.record({
    kind: fc.constant('cut' as const),
    moment,
    victim: fc.constantFrom('database' as const, 'search' as const),
    how: fc.constantFrom(...CUTS),
    which: fc.integer({ min: 1, max: 4 }),
    forMs: pauseMs,
  }),
);

const table: fc.Arbitrary<TablePlan> = fc.record({
  rows: fc.integer({ min: 6_000, max: 14_000 }),
  firstKey: fc.constantFrom(-9_000, 1, 5_000_000_000),
  nullPercent: fc.integer({ min: 0, max: 40 }),
  hiddenPercent: fc.integer({ min: 0, max: 20 }),
  largeRows: fc.integer({ min: 0, max: 3 }),
  faultyRows: fc.integer({ min: 0, max: 3 }),
  paceMs: fc.integer({ min: 1, max: 3 }),
});

const changes: fc.Arbitrary<ChangesPlan> = fc.record({
  what: fc.constantFrom('inserts' as const, 'deletions' as const, 'both' as const),
  everyMs: ms(50, 400),
  endAt: fc.oneof(
    fc.record({ phase: fc.constant('finalize' as const), afterMs: fc.constant(0) }),
    fc.record({ phase: fc.constant('validate' as const), afterMs: ms(0, 1_500) }),
  ),
});

const again: fc.Arbitrary<AgainPlan> = fc.record({
  afterMs: fc.array(ms(0, 3_000), { minLength: 3, maxLength: 3 }),
  waitsForServices: fc.boolean(),
  twoAtOnce: fc.array(
    fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    { minLength: 4, maxLength: 4 },
  ),
});

function planArbitrary({ mostRuns, mostFaults }: PlanBounds): fc.Arbitrary<Omit<Plan, 'seed'>> {
  const run: fc.Arbitrary<RunPlan> = fc.record({
    faults: fc.array(fault, { minLength: Math.min(2, mostFaults), maxLength: mostFaults, size: 'max' }),
    changes: fc.option(changes, { freq: 2 }),
    again,
  });
  return fc.record({
    table,
    workers: fc.integer({ min: 3, max: 4 }),
    ranges: fc.integer({ min: 6, max: 16 }),
    runs: fc.array(run, { minLength: 1, maxLength: mostRuns, size: 'max' }),
  });
}
