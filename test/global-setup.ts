import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { cacheDirectory } from '../embedded/cache.ts';
import { useServices } from '../embedded/services.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** PostgreSQL, its database `postgres`, as superuser. */
    postgresUrl: string;
    /** Real OpenSearch; null where the machine cannot have it. */
    searchUrl: string | null;
    /** The built-in development node. */
    developmentUrl: string;
    /** What the machine lacks and which tests are skipped for it, as sentences. */
    missing: string[];
  }
}

/**
 * Starts PostgreSQL, OpenSearch and the development node once for all tests, with empty data of their own. They are held
 * by a keeper of their own process, so they end also when the tests are ended by force.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'reindex-fleet-test-'));
  const removeFolder = (): Promise<void> => rm(folder, { recursive: true, force: true });
  await chmod(folder, 0o755); // the services may run as another user
  const services = await useServices({
    cacheDir: cacheDirectory(process.env),
    dataDir: folder,
    database: true,
    example: false,
    search: true,
    developmentNode: true,
    onProgress: () => {},
  }).catch(async (error: unknown) => {
    await removeFolder();
    throw error;
  });
  const end = async (): Promise<void> => {
    await services.stop();
    await removeFolder();
  };
  const missing = services.searchMissing
    ? [`Tests on a real OpenSearch were skipped: ${services.searchMissing}.`]
    : [];
  if (missing.length > 0 && process.env['CI'] === 'true') {
    await end();
    throw new Error(`With CI=true nothing may be skipped. ${services.searchMissing}.`);
  }
  project.provide('postgresUrl', services.databaseUrl ?? '');
  project.provide('searchUrl', services.searchMissing ? null : services.searchUrl);
  project.provide('developmentUrl', services.developmentUrl ?? '');
  project.provide('missing', missing);
  return async () => {
    await end();
    for (const sentence of missing) console.log(sentence);
  };
}
