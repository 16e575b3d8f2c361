import { RunFailed } from '../errors.ts';
import { databaseServer } from './source-connection.ts';

/**
 * What the workers' parameters give to an orchestrator that has no password of its own. A password is used for the very
 * server that the workers use it for, and for no other, whatever the orchestrator's settings name.
 */

/** The workers' parameters by their last name; null: there is none. */
export interface WorkerParameters {
  readonly search_url: string | null;
  readonly search_username: string | null;
  readonly search_password: string | null;
  readonly search_api_key: string | null;
}

/** How the cluster is told who asks; all null: it does not want to know. */
export interface TargetCredentials {
  readonly username: string | null;
  readonly password: string | null;
  readonly apiKey: string | null;
}

/**
 * The password in the workers' `database_url`; null: it has none.
 *
 * @param path of the parameters
 * @throws RunFailed when that is no URL, or one of another server or user than `sourceUrl`
 */
export function sharedSourcePassword(path: string, databaseUrl: string, sourceUrl: string): string | null {
  const name = `${path}/database_url`;
  if (!isUrl(databaseUrl, 'postgres:', 'postgresql:'))
    throw new RunFailed(`the parameter ${name} holds no URL that begins with postgres:// or postgresql://`);
  const [wanted, found] = [databaseServer(sourceUrl), databaseServer(databaseUrl)];
  if (wanted.words !== found.words)
    throw new RunFailed(
      `the parameter ${name} is for ${found.words}, and source.url names ${wanted.words}: its password is used for no other server or user. Set REINDEX_SOURCE_PASSWORD, or let both name the same`,
    );
  return found.password;
}

/**
 * The workers' credentials for the cluster, as they take them: an API key, or a user with a password.
 *
 * @param path of the parameters
 * @throws RunFailed when they are for another server than `target.url`, or another user than the settings name, or the
 *   named user's password is not there
 */
export function sharedTargetCredentials(
  path: string,
  parameters: WorkerParameters,
  target: { readonly url: string; readonly username: string | null },
): TargetCredentials {
  const found = credentialsIn(path, parameters);
  const username = target.username ?? userIn(target.url);
  const wantsUser = username !== null;
  if (!wantsUser && found.apiKey === null && found.password === null) return found;
  requireSameCluster(path, parameters.search_url, target.url);
  if (!wantsUser) return found;
  const missing = `${path}/search_password`;
  if (found.password === null)
    throw new RunFailed(
      `the parameter ${missing} does not exist in this region: it is to hold the password of ${username} (target.username); or set REINDEX_TARGET_PASSWORD`,
    );
  if (found.username !== username)
    throw new RunFailed(
      `the parameter ${missing} is the password of ${found.username ?? 'nobody'}, and target.username is ${username}: it is used for no other user. Set REINDEX_TARGET_PASSWORD, or let both name the same`,
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

function requireSameCluster(path: string, searchUrl: string | null, targetUrl: string): void {
  const name = `${path}/search_url`;
  if (searchUrl === null)
    throw new RunFailed(
      `the parameter ${name} does not exist in this region: without it nobody knows which cluster the workers' password is for`,
    );
  const [wanted, found] = [new URL(targetUrl).origin, new URL(searchUrl).origin];
  if (wanted !== found)
    throw new RunFailed(
      `the parameter ${name} is ${found}, and target.url names ${wanted}: the workers' password is used for no other server. Set REINDEX_TARGET_PASSWORD or REINDEX_TARGET_API_KEY, or let both name the same`,
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
