import { homedir } from 'node:os';
import { join } from 'node:path';
import { cacheDirectory, dataDirectory } from '../../embedded/cache.ts';
import { EMBEDDED } from '../common-settings.ts';
import type { Environment, Settings } from '../settings.ts';

/**
 * Where journals are when the settings name no place. With the embedded node as the target they are with its data, so
 * both are kept or deleted together. Otherwise they are in this user's state folder (XDG base directory specification).
 */
export function journalFolder({ target }: Pick<Settings, 'target'>, environment: Environment): string {
  if (target.url === EMBEDDED) return join(dataDirectory(cacheDirectory(environment)), 'journal');
  const state = environment.XDG_STATE_HOME ?? '';
  return join(state === '' ? join(homedir(), '.local', 'state') : state, 'reindex-fleet');
}
