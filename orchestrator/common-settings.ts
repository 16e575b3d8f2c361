import { z } from 'zod';
import { section } from '../definition/section.ts';
import { awsSection } from './aws/aws-settings.ts';
import { journalUrl } from './journal/places.ts';
import { ms, text, whole } from './setting-types.ts';

/** Where an embedded service of this machine stands in for a URL. */
export const EMBEDDED = 'embedded';

const url = (protocols: readonly string[]) =>
  text.refine(
    (value) => value === EMBEDDED || (URL.canParse(value) && protocols.includes(new URL(value).protocol)),
    `"${EMBEDDED}" or a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}.`,
  );

/** The settings of every run, whatever its workers run on. Each kind of fleet adds a section of its own, see `fleet/kinds.ts`. */
export const commonShape = {
  /** Names what one run at a time may hold: claims, locks and journals are kept by it. */
  fleet: text.regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'Small letters, digits, dash and underscore.'),
  /** A definition's file or a folder of them, relative to the settings file. */
  definitions: text,
  /** Which definition to run; needed when there are several. */
  definition: text.nullable().default(null),
  source: section({
    /** `embedded`, or a PostgreSQL URL. The password may stand in REINDEX_SOURCE_PASSWORD or on AWS (`aws.worker_parameters`) instead. */
    url: url(['postgres:', 'postgresql:']),
  }),
  target: section({
    /** `embedded`, or an OpenSearch or Elasticsearch URL. */
    url: url(['http:', 'https:']),
    /** For basic authentication, with REINDEX_TARGET_PASSWORD. An API key stands in REINDEX_TARGET_API_KEY. Both may stand on AWS (`aws.worker_parameters`) instead. */
    username: text.nullable().default(null),
    /** Longest wait for the declared health of the new index. */
    health_timeout_ms: ms(600_000),
  }),
  journal: section({
    /**
     * Where claims, locks and journals are, whatever the fleet: a folder (relative to the settings file) or
     * `s3://bucket/prefix`. Null: one of this user's state folders. The fleet's name follows.
     */
    url: journalUrl.nullable().default(null),
    /** How long a lock that is not renewed still counts. */
    lease_ms: whole(1_000, 600_000, ' of milliseconds').default(15_000),
    /** `sweep` deletes what a run that is over for so long has left in the journal; not of what a rollback needs. */
    keep_days: whole(1, 36_500, ' of days').default(90),
  }).prefault({}),
  /** The AWS account, for whatever of a run is on AWS; null: nothing is. */
  aws: awsSection.nullable().default(null),
  /** What one worker costs, whatever it runs on, for estimate, result and `--max-cost`; null: nobody says. */
  price: section({
    per_hour: z.number('A number.').positive('More than 0.').max(10_000, 'At most 10000.'),
    currency: text.regex(/^[A-Z]{3}$/, 'Three capital letters, e.g. USD.').default('USD'),
  })
    .nullable()
    .default(null),
  workers: section({
    /** Workers wanted. */
    count: whole(1, 1_000).default(4),
    /** A run goes on with so many if its fleet has no more; with fewer it ends. */
    minimum: whole(1, 1_000).default(1),
    /** Bytes that all workers together may have in flight to the cluster. */
    max_bytes_in_flight: whole(1_048_576, 2 ** 40, ' of bytes').default(33_554_432),
    call_timeout_ms: ms(5_000),
    lost_after_ms: ms(30_000),
    stall_timeout_ms: ms(120_000),
    waiting_timeout_ms: ms(600_000),
    /** Workers that may be replaced in one run. */
    replacements: whole(0, 1_000).default(8),
    /** Tries at one range before the run stops. */
    attempts: whole(1, 100).default(3),
  }).prefault({}),
  ranges: section({
    /** How many ranges to split the table into; null: chosen from its rows and the workers. */
    count: whole(1, 100_000).nullable().default(null),
  }).prefault({}),
  validate: section({
    /**
     * How the rows of a range and its documents are compared before the alias moves. `keys`: key by key. `counts`: by
     * their number alone, where there are no dead letters and the range was given out only once; faster, and for tables
     * that do not change while a run reads. It cannot see that a document is missing where another is too many: a row
     * that came and one that went in the same range while the run read hide each other.
     */
    compare: z.enum(['keys', 'counts'], '"keys" or "counts".').default('keys'),
    /** Ranges that are compared at the same time, each with a connection of its own to the database. */
    concurrency: whole(1, 16).default(4),
  }).prefault({}),
  report: section({
    /** A search request whose answer is shown at the end: a query that a person can try. */
    example_query: z.record(z.string(), z.unknown()).nullable().default(null),
  }).prefault({}),
};

/** As they are written, with their defaults. */
export type WrittenCommonSettings = z.output<z.ZodObject<typeof commonShape>>;

/** The settings that every kind of fleet may look at. */
export interface CommonSettings extends WrittenCommonSettings {
  /** The file that they came from, or what stands for it in faults. */
  readonly file: string;
  /** Secrets of the environment. Others are in the URLs, or looked for when something connects: `credentials.ts`. */
  readonly secrets: {
    readonly sourcePassword: string | null;
    readonly targetPassword: string | null;
    readonly targetApiKey: string | null;
  };
}
