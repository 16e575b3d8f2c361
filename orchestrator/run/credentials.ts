import type { AwsSettings } from '../aws/aws-settings.ts';
import { openAws } from '../aws/clients.ts';
import { readParameter } from '../aws/parameter.ts';
import { messageOf, RunFailed } from '../errors.ts';
import type { Settings } from '../settings.ts';
import {
  sharedSourcePassword,
  sharedTargetCredentials,
  type TargetCredentials,
  type WorkerParameters,
} from './shared-credentials.ts';
import { databaseServer, type SourceAddress } from './source-connection.ts';

/**
 * Who connects, and with which password. The environment comes before the URL, and the URL before the workers'
 * parameters (`aws.worker_parameters`). The parameters are read only when something connects and the others give no
 * password.
 */

/** The last names of the parameters. `examples/aws/orchestrator-policy.json` allows a run to read them. */
export const SOURCE_PARAMETERS = ['database_url'] as const;
export const TARGET_PARAMETERS = [
  'search_url',
  'search_username',
  'search_password',
  'search_api_key',
] as const satisfies readonly (keyof WorkerParameters)[];

/**
 * Finds the database's address and password.
 *
 * @throws RunFailed when the parameter cannot be read, does not exist, or is for another server or user
 */
export async function sourceAddressOf({ source: { url }, secrets, aws }: Settings): Promise<SourceAddress> {
  const own = { url, password: secrets.sourcePassword };
  if (typeof aws?.worker_parameters !== 'string' || own.password !== null) return own;
  if (databaseServer(url).password !== null) return own;
  const { worker_parameters: path } = aws;
  const { database_url: databaseUrl } = await readAll(aws, path, SOURCE_PARAMETERS);
  const name = `${path}/database_url`;
  if (databaseUrl === null)
    throw new RunFailed(
      `the parameter ${name} does not exist in this region: write the database's URL with its password there, or set REINDEX_SOURCE_PASSWORD`,
    );
  return { ...own, password: sharedSourcePassword(path, databaseUrl, url), passwordParameter: name };
}

/**
 * Finds the credentials for the cluster.
 *
 * @throws RunFailed when a parameter cannot be read, does not exist, or is for another server or user
 */
export async function targetCredentialsOf({ target, secrets, aws }: Settings): Promise<TargetCredentials> {
  const { targetPassword: password, targetApiKey: apiKey } = secrets;
  const own = { username: target.username, password, apiKey };
  if (typeof aws?.worker_parameters !== 'string' || password !== null || apiKey !== null) return own;
  if (new URL(target.url).password !== '') return own;
  const { worker_parameters: path } = aws;
  return sharedTargetCredentials(path, await readAll(aws, path, TARGET_PARAMETERS), target);
}

/** Reads parameters at once, and names every fault. The value is null where a parameter does not exist. */
async function readAll<Name extends string>(
  account: Pick<AwsSettings, 'region' | 'profile'>,
  path: string,
  names: readonly Name[],
): Promise<Record<Name, string | null>> {
  const aws = openAws(account.region, account);
  try {
    const read = await Promise.allSettled(names.map((name) => readParameter(aws, `${path}/${name}`)));
    const faults = read.flatMap((result) => (result.status === 'rejected' ? [messageOf(result.reason)] : []));
    if (faults.length > 0) throw new RunFailed(faults.join('\n'));
    const values = read.map((result) =>
      result.status === 'fulfilled' ? (result.value?.Value ?? null) : null,
    );
    return Object.fromEntries(names.map((name, i) => [name, values[i] ?? null])) as Record<
      Name,
      string | null
    >;
  } finally {
    aws.close();
  }
}
