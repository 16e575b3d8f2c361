import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheDirectory } from '../../embedded/cache.ts';
import { useServices } from '../../embedded/services.ts';
import type { Theatre } from './stage.ts';

export interface Servers extends Pick<Theatre, 'postgresUrl' | 'searchUrl'> {
  stop(): Promise<void>;
}

/**
 * Starts a PostgreSQL and an OpenSearch with empty data of their own.
 *
 * @throws Error with what the machine lacks for OpenSearch
 */
export async function startServers(tell: (line: string) => void): Promise<Servers> {
  const folder = await mkdtemp(join(tmpdir(), 'reindex-fleet-cases-'));
  await chmod(folder, 0o755); // The services may run as another user.
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const services = await useServices({
      cacheDir: cacheDirectory(process.env),
      dataDir: folder,
      database: true,
      example: false,
      search: true,
      onProgress: tell,
    });
    const stop = async (): Promise<void> => {
      await services.stop();
      await remove();
    };
    const { databaseUrl, searchUrl, searchMissing } = services;
    if (databaseUrl === null || searchUrl === null || searchMissing !== null) {
      await stop();
      throw new Error(`The cases need a real OpenSearch: ${searchMissing ?? 'it did not start'}.`);
    }
    return { postgresUrl: databaseUrl, searchUrl, stop };
  } catch (error) {
    await remove();
    throw error;
  }
}
