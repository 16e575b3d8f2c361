import { homedir } from 'node:os';
import { join } from 'node:path';
import { cacheDirectory, dataDirectory } from '../../embedded/cache.ts';
import { EMBEDDED, type Environment, type Settings } from '../settings.ts';

/**
 * Where a fleet's journal lies when the settings do not say: with the embedded node's data where that is the target
 * (so both are kept or deleted together), else in this user's state folder (XDG base directory specification).
 */
export function journalFolder(settings: Settings, environment: Environment): string {
  if (settings.journal.directory !== null) return join(settings.journal.directory, settings.fleet);
  if (settings.target.url === EMBEDDED)
    return join(dataDirectory(cacheDirectory(environment)), 'journal', settings.fleet);
  const state = environment.XDG_STATE_HOME ?? '';
  return join(state === '' ? join(homedir(), '.local', 'state') : state, 'reindex-fleet', settings.fleet);
}
