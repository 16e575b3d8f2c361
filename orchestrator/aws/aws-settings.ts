import { z } from 'zod';
import { section } from '../../definition/section.ts';
import { text } from '../setting-types.ts';

/**
 * The AWS account, for a fleet of instances and for a journal in S3. Credentials come from where AWS's own tools take
 * them (environment, profile, role).
 */
export const awsSection = section({
  /** The region of group, parameters and bucket, e.g. `eu-central-1`. */
  region: z
    .string('Write a region, such as eu-central-1.')
    .trim()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'This is no region, such as eu-central-1.'),
  /** A profile of AWS's configuration files. It comes before the environment. Null: the environment decides. */
  profile: text.nullable().default(null),
  /**
   * Path of the workers' own parameters in Parameter Store (their REINDEX_WORKER_PARAMETERS), e.g.
   * `/reindex-fleet/books/worker`. A run reads a password there if neither environment nor URL gives it. The database's
   * password is in `database_url`, which must name the server and user of `source.url`. The cluster's is in
   * `search_username` and `search_password`, or in `search_api_key`; `search_url` must name the server of `target.url`.
   * Null: a run does not look there.
   */
  worker_parameters: text
    .regex(/^(\/[A-Za-z0-9_.-]+)+$/, 'This is no path of parameters, such as /reindex-fleet/books/worker.')
    .nullable()
    .default(null),
});

export type AwsSettings = z.output<typeof awsSection>;
