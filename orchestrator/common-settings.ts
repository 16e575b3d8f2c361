import { z } from 'zod';
import { section } from '../definition/section.ts';
import { awsSection } from './aws/aws-settings.ts';
import { journalUrl } from './journal/places.ts';
import { ms, text, whole } from './setting-types.ts';

/** Stands in place of a URL for an embedded service of this machine. */
export const EMBEDDED = 'embedded';

const url = (protocols: readonly string[]) =>
  text.refine(
    (value) => value === EMBEDDED || (URL.canParse(value) && protocols.includes(new URL(value).protocol)),
    `"${EMBEDDED}" or a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}.`,
  );

/**
 * The settings of every run, whatever its workers run on. Each kind of fleet adds its own section, see
 * `fleet/kinds.ts`.
 */
export const commonShape = {
  /** Name of the fleet. One run at a time holds it. Claims, locks and journals are kept by this name. */
  fleet: text.regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'Small letters, digits, dash and underscore.'),
  /** A definition's file, or a folder of definitions. The path is relative to the settings file. */
  definitions: text,
  /** Name of the definition to run. Write it when there are several. */
  definition: text.nullable().default(null),
  source: section({
    /**
     * `embedded`, or a PostgreSQL URL. The password is in the URL, in REINDEX_SOURCE_PASSWORD, or on AWS
     * (`aws.worker_parameters`).
     */
    url: url(['postgres:', 'postgresql:']),
  }),
  target: section({
    /** `embedded`, or an OpenSearch or Elasticsearch URL. */
    url: url(['http:', 'https:']),
    /**
     * User for basic authentication. The password is in REINDEX_TARGET_PASSWORD. REINDEX_TARGET_API_KEY may hold an API
     * key instead; a user and an API key together are refused. Both may also be on AWS (`aws.worker_parameters`).
     */
    username: text.nullable().default(null),
    /** The longest wait until the new index has the health that its definition declares. */
    health_timeout_ms: ms(600_000),
    /**
     * How long a run tries a call to the cluster again, while the cluster is overloaded (429), away (502, 503, 504) or
     * does not answer. It is counted from the call's first failure. Workers have `workers.waiting_timeout_ms`. A command
     * that only asks, such as `plan`, waits for 10 s at most.
     */
    waiting_timeout_ms: ms(300_000),
  }),
  journal: section({
    /**
     * The place of claims, locks and journals, for every kind of fleet: a folder (relative to the settings file) or
     * `s3://bucket/prefix`. The fleet's name follows. Null: a folder of this user's state.
     */
    url: journalUrl.nullable().default(null),
    /** A lock counts for this long after its last renewal. */
    lease_ms: whole(1_000, 600_000, ' of milliseconds').default(15_000),
    /** `sweep` deletes a run's claims and journal this long after its end. It keeps what a rollback needs. */
    keep_days: whole(1, 36_500, ' of days').default(90),
  }).prefault({}),
  /** The AWS account, for what a run has on AWS. Null: a run has nothing there. */
  aws: awsSection.nullable().default(null),
  /** What one worker costs, wherever it runs. Estimate, result and `--max-cost` need it. Null: the price is unknown. */
  price: section({
    /** What one worker costs in an hour. */
    per_hour: z.number('A number.').positive('More than 0.').max(10_000, 'At most 10000.'),
    /** The currency of `per_hour`. */
    currency: text.regex(/^[A-Z]{3}$/, 'Three capital letters, e.g. USD.').default('USD'),
  })
    .nullable()
    .default(null),
  workers: section({
    /** How many workers a run wants. */
    count: whole(1, 1_000).default(4),
    /** The fewest workers that a run goes on with when its fleet has no more. With fewer it ends. */
    minimum: whole(1, 1_000).default(1),
    /** The most bytes that all workers together have in flight to the cluster. */
    max_bytes_in_flight: whole(1_048_576, 2 ** 40, ' of bytes').default(33_554_432),
    /** Time limit of one call to a worker. */
    call_timeout_ms: ms(5_000),
    /** A worker that was ready and gives no answer for this long counts as lost. */
    lost_after_ms: ms(30_000),
    /** A task that makes no progress for this long, while it waits for nothing, fails its attempt. */
    stall_timeout_ms: ms(120_000),
    /** A task that waits for the database or the cluster for this long ends the run. */
    waiting_timeout_ms: ms(600_000),
    /** How many workers a run may replace. */
    replacements: whole(0, 1_000).default(8),
    /** How often a run tries one range before it stops. */
    attempts: whole(1, 100).default(3),
  }).prefault({}),
  ranges: section({
    /** How many ranges the table is split into. Null: the plan chooses, by the table's rows and the workers. */
    count: whole(1, 100_000).nullable().default(null),
  }).prefault({}),
  validate: section({
    /**
     * How `validate` compares the rows of a range with its documents before the alias moves. `keys`: key by key.
     * `counts`: only by their number, if the range has no dead letters and was given out only once. Counting is faster.
     * It is for tables that do not change while a run reads, because it does not notice when one document is missing
     * and another is surplus: in one range, an added row and a deleted row hide each other.
     */
    compare: z.enum(['keys', 'counts'], '"keys" or "counts".').default('keys'),
    /** How many ranges `validate` compares at the same time. Each has a connection of its own to the database. */
    concurrency: whole(1, 16).default(4),
    /** `promote` proves the index again before the alias moves if the proof is older than this. */
    max_age_ms: ms(3_600_000),
    /**
     * With `changed_at`, `validate` reads rows again that changed after they were read. It makes at most this many passes
     * over such rows. It stops sooner when a pass was short.
     */
    changed_rows_passes: whole(0, 100).default(3),
  }).prefault({}),
  promote: section({
    /**
     * How many per cent of the documents that the alias serves now a promotion may lose. If it loses more, or all of
     * them, it is refused, and `--allow-shrink` accepts it. A definition may have a limit of its own, in its `promote`.
     */
    shrink_limit: z.number('A number.').min(0, 'At least 0.').max(100, 'At most 100.').default(50),
  }).prefault({}),
  report: section({
    /** A search request. The run shows its answer at the end, as a query that a person can try. */
    example_query: z.record(z.string(), z.unknown()).nullable().default(null),
  }).prefault({}),
};

/** The settings as they are written, with their defaults. */
export type WrittenCommonSettings = z.output<z.ZodObject<typeof commonShape>>;

/** The settings that every kind of fleet may use. */
export interface CommonSettings extends WrittenCommonSettings {
  /** The file that they came from, or what names it in faults. */
  readonly file: string;
  /** Secrets of the environment. Others are in the URLs, or are read when something connects: `credentials.ts`. */
  readonly secrets: {
    readonly sourcePassword: string | null;
    readonly targetPassword: string | null;
    readonly targetApiKey: string | null;
  };
}
