import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where the unprivileged user, as whom the services of root run, can read; it cannot enter root's home folder. */
const ROOT_CACHE = '/var/cache/reindex-fleet';

/**
 * The folder for downloads and for the embedded services' data, outside the repository:
 * `REINDEX_FLEET_CACHE`; else for root `/var/cache/reindex-fleet`; else `$XDG_CACHE_HOME/reindex-fleet`, which is
 * `~/.cache/reindex-fleet` by default (XDG base directory specification).
 */
export function cacheDirectory(environment: NodeJS.ProcessEnv, uid = process.getuid?.()): string {
  if (environment['REINDEX_FLEET_CACHE']) return resolve(environment['REINDEX_FLEET_CACHE']);
  if (uid === 0) return ROOT_CACHE;
  return join(environment['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'reindex-fleet');
}

/** Where the services that a person's commands share keep their database, indexes and logs. */
export function dataDirectory(cacheDir: string): string {
  return join(cacheDir, 'services');
}
