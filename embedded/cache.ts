import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** A folder that an unprivileged user can read. Services of root run as such a user, who cannot enter root's home folder. */
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

/** The folder of database, indexes and logs. All commands of a person share these services. */
export function dataDirectory(cacheDir: string): string {
  return join(cacheDir, 'services');
}
