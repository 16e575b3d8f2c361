import { RunFailed } from '../errors.ts';
import { databaseServer } from './source-connection.ts';

/**
 * What an orchestrator without a password of its own takes from the workers' parameters. It uses a password only for
 * the server that the workers use it for, whatever its own settings name.
 */

/** The workers' parameters by their last name. Null where a parameter does not exist. */
export interface WorkerParameters {
  readonly search_url: string | null;
  readonly search_username: string | null;
  readonly search_password: string | null;
  readonly search_api_key: string | null;
}

/** The credentials for the cluster. All are null when the cluster wants none. */
export interface TargetCredentials {
  readonly username: string | null;
  readonly password: string | null;
  readonly apiKey: string | null;
}

/**
 * The password in the workers' `database_url`. Null when the URL holds none.
 *
 * @param path of the parameters
 * @throws RunFailed when that is not a URL, or names another server or user than `sourceUrl`
 */
export function sharedSourcePassword(path: string, databaseUrl: string, sourceUrl: string): string | null {
  const name = `${path}/database_url`;
  if (!isUrl(databaseUrl, 'postgres:', 'postgresql:'))
    throw new RunFailed(`the parameter ${name} holds no URL that begins with postgres:// or postgresql://`);
  const [wanted, found] = [databaseServer(sourceUrl), databaseServer(databaseUrl)];
  if (wanted.words !== found.words)
    throw new RunFailed(
      `the parameter ${name} is for ${found.words}, but source.url names ${wanted.words}. A run uses its password for no other server or user: set REINDEX_SOURCE_PASSWORD, or let both name the same`,
    );
  return found.password;
}

/**
 * The workers' credentials for the cluster, as the workers use them: an API key, or a user with a password.
 *
 * @param path of the parameters
 * @throws RunFailed when they are for another server than `target.url` or another user than the settings name, or when
 * the named user's password does not exist
 */
export function sharedTargetCredentials(
  path: string,
  parameters: WorkerParameters,
  target: { readonly url: string; readonly username: string | null },
): TargetCredentials {
  const found = credentialsIn(path, parameters);
  refuseBoth(path, found);
  const username = target.username ?? userIn(target.url);
  const wantsUser = username !== null;
  if (!wantsUser && found.apiKey === null && found.password === null) return found;
  requireSameCluster(path, parameters.search_url, target.url);
  if (!wantsUser) return found;
  const missing = `${path}/search_password`;
  if (found.password === null)
    throw new RunFailed(
      `the parameter ${missing} does not exist in this region: write the password of ${username} (target.username) there, or set REINDEX_TARGET_PASSWORD`,
    );
  if (found.username !== username)
    throw new RunFailed(
      `the parameter ${missing} is the password of ${found.username ?? 'nobody'}, but target.username is ${username}. A run uses it for no other user: set REINDEX_TARGET_PASSWORD, or let both name the same`,
    );
  return { username, password: found.password, apiKey: null };
}

function credentialsIn(path: string, parameters: WorkerParameters): TargetCredentials {
  const { search_url: url, search_username: username, search_password: password } = parameters;
  if (url !== null && !isUrl(url, 'http:', 'https:'))
    throw new RunFailed(`the parameter ${path}/search_url holds no URL that begins with http:// or https://`);
  const inUrl = url === null ? null : new URL(url);
  return {
    username: username ?? (url === null ? null : userIn(url)),
    password: password ?? (inUrl === null ? null : decoded(inUrl.password)),
    apiKey: parameters.search_api_key,
  };
}

/** The workers refuse both, so a run that chose one of them would launch workers in vain. */
function refuseBoth(path: string, { username, password, apiKey }: TargetCredentials): void {
  if (apiKey === null || (username === null && password === null)) return;
  const other = username === null ? 'search_password' : 'search_username, or the user in search_url';
  throw new RunFailed(
    `the parameters ${path}/search_api_key and ${path}/${other}, are both set, and a call carries one of them: delete one`,
  );
}

function requireSameCluster(path: string, searchUrl: string | null, targetUrl: string): void {
  const name = `${path}/search_url`;
  if (searchUrl === null)
    throw new RunFailed(
      `the parameter ${name} does not exist in this region: write the cluster's URL there, because it says which cluster the workers' password is for`,
    );
  const [wanted, found] = [new URL(targetUrl).origin, new URL(searchUrl).origin];
  if (wanted !== found)
    throw new RunFailed(
      `the parameter ${name} is ${found}, but target.url names ${wanted}. A run uses the workers' password for no other server: set REINDEX_TARGET_PASSWORD or REINDEX_TARGET_API_KEY, or let both name the same`,
    );
}

function userIn(url: string): string | null {
  return decoded(new URL(url).username);
}

function decoded(part: string): string | null {
  return part === '' ? null : decodeURIComponent(part);
}

function isUrl(text: string, ...protocols: readonly string[]): boolean {
  return URL.canParse(text) && protocols.includes(new URL(text).protocol);
}
