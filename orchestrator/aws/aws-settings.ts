import { z } from 'zod';
import { section } from '../../definition/section.ts';
import { DEFAULT_PORT } from '../../worker/contract.ts';
import { ms, text, whole } from '../setting-types.ts';

/** A name in Parameter Store: https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html */
const parameter = text.regex(
  /^[A-Za-z0-9/._-]{1,1011}$/,
  'This is no name of a parameter: letters, digits and / . _ -',
);

/**
 * The fleet as an Auto Scaling group. Credentials come from where AWS's own tools take them (environment, profile, role).
 * All that a deployed stack knows stands here, so that nothing is typed twice.
 */
export const awsSection = section({
  /** Where group, parameters and bucket are, e.g. `eu-central-1`. */
  region: text.regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'This is no region, such as eu-central-1.'),
  /** Name of the Auto Scaling group. */
  group: text,
  /** The parameter (data type `aws:ec2:image`) that the launch template takes its image from; null: the template names an image itself. */
  image_parameter: parameter.nullable().default(null),
  /** The SecureString that holds the workers' bearer token. */
  token_parameter: parameter,
  /**
   * Path of the workers' own parameters in Parameter Store (their REINDEX_WORKER_PARAMETERS), e.g.
   * `/reindex-fleet/books/worker`. A password that neither environment nor URL gives is taken from there when something
   * connects: the database's from `database_url`, if that names the server and user of `source.url`; the cluster's from
   * `search_username` and `search_password`, or `search_api_key`, if `search_url` names the server of `target.url`.
   * Null: it is not looked for.
   */
  worker_parameters: text
    .regex(/^(\/[A-Za-z0-9_.-]+)+$/, 'This is no path of parameters, such as /reindex-fleet/books/worker.')
    .nullable()
    .default(null),
  /** Where workers listen on their instances' private addresses. */
  worker_port: whole(1, 65_535).default(DEFAULT_PORT),
  /** The bucket of claims, locks and journals; null: the folder that `journal.directory` names. */
  journal_bucket: text
    .regex(
      /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
      'This is no name of a bucket: small letters, digits, dots and dashes.',
    )
    .nullable()
    .default(null),
  /** What the keys in the bucket begin with; the fleet's name follows. */
  journal_prefix: text
    .regex(/^[A-Za-z0-9!_.*'()/-]+$/, "Letters, digits and ! _ . * ' ( ) / -")
    .default('reindex-fleet'),
  /** Pause between two looks at group and workers. */
  poll_interval_ms: ms(3_000),
  /** From launch to a worker that answers as ready: machine, system, worker, database and cluster. */
  ready_timeout_ms: ms(300_000),
  /** Fewer instances than asked for: so long the group may try, then the run goes on with what came, or ends. */
  capacity_timeout_ms: ms(600_000),
  /**
   * Zero is believed when it is seen so long after the last change. AWS promises no time within which a look shows a change
   * ("a couple of seconds" up to minutes, https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html). A call
   * whose answer got lost may take effect until it times out, 10 s, and the group acts within seconds. What comes later
   * still ends by its lease.
   */
  zero_quiet_ms: ms(15_000),
  /** `sweep` leaves the fleet of an unfinished run alone for so long after its last word. More than the workers' lease. */
  sweep_grace_ms: ms(1_800_000),
  /** What one instance costs an hour, for estimate, result and `--max-cost`; null: unknown. */
  price_per_hour: z
    .number('A number.')
    .positive('More than 0.')
    .max(10_000, 'At most 10000.')
    .nullable()
    .default(null),
  /** Of that price. */
  currency: text.regex(/^[A-Z]{3}$/, 'Three capital letters, e.g. USD.').default('USD'),
});

export type AwsSettings = z.output<typeof awsSection>;
