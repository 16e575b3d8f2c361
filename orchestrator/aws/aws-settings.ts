import { z } from 'zod';
import { section } from '../../definition/section.ts';
import { text } from '../setting-types.ts';

/**
 * The AWS account, for a fleet of instances and for a journal in S3. Credentials come from where AWS's own tools take
 * them (environment, profile, role).
 */
export const awsSection = section({
  /** Where group, parameters and bucket are, e.g. `eu-central-1`. */
  region: z
    .string('Write a region, such as eu-central-1.')
    .trim()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'This is no region, such as eu-central-1.'),
  /** Of AWS's configuration files, over what the environment says; null: as the environment says. */
  profile: text.nullable().default(null),
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
});

export type AwsSettings = z.output<typeof awsSection>;
