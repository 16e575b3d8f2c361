import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { cacheDirectory } from '../embedded/cache.ts';
import { type EmbeddedServices, useServices } from '../embedded/services.ts';
import { installMoto } from './aws/moto-installation.ts';
import { type MotoServer, startMoto } from './aws/moto-server.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** PostgreSQL, its database `postgres`, as superuser. */
    postgresUrl: string;
    /** Real OpenSearch; null where the machine cannot have it. */
    searchUrl: string | null;
    /** The built-in development node. */
    developmentUrl: string;
    /** An AWS API that all tests share: names are a test's own, and nobody resets it. Null where the machine cannot have it. */
    awsUrl: string | null;
    /** What the machine lacks and which tests are skipped for it, as sentences. */
    missing: string[];
  }
}

/**
 * Starts PostgreSQL, OpenSearch, the development node and an AWS API once for all tests, with empty data of their own.
 * They end also when the tests are ended by force.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'reindex-fleet-test-'));
  const cleanUp: (() => Promise<void>)[] = [() => rm(folder, { recursive: true, force: true })];
  const end = async (): Promise<void> => {
    for (const step of cleanUp.splice(0).reverse()) await step();
  };
  try {
    const [services, aws] = await startBoth(folder, cleanUp);
    const missing = [
      ...(services.searchMissing
        ? [`Tests on a real OpenSearch were skipped: ${services.searchMissing}.`]
        : []),
      ...('missing' in aws ? [`Tests on an AWS API were skipped: ${aws.missing}.`] : []),
    ];
    if (missing.length > 0 && process.env['CI'] === 'true')
      throw new Error(`With CI=true nothing may be skipped. ${missing.join(' ')}`);
    project.provide('postgresUrl', services.databaseUrl ?? '');
    project.provide('searchUrl', services.searchMissing ? null : services.searchUrl);
    project.provide('developmentUrl', services.developmentUrl ?? '');
    project.provide('awsUrl', 'missing' in aws ? null : aws.url);
    project.provide('missing', missing);
    return async () => {
      await end();
      for (const sentence of missing) console.log(sentence);
    };
  } catch (error) {
    await end();
    throw error;
  }
}

type Aws = MotoServer | { readonly missing: string };

/** At the same time; if one cannot be started, the other is stopped by `cleanUp`, to which both add. */
async function startBoth(
  folder: string,
  cleanUp: (() => Promise<void>)[],
): Promise<[services: EmbeddedServices, aws: Aws]> {
  const cacheDir = cacheDirectory(process.env);
  const [services, aws] = await Promise.allSettled([startServices(cacheDir, folder), startAws(cacheDir)]);
  if (services.status === 'fulfilled') cleanUp.push(() => services.value.stop());
  if (aws.status === 'fulfilled' && 'stop' in aws.value) cleanUp.push(aws.value.stop);
  if (services.status === 'rejected') throw services.reason;
  if (aws.status === 'rejected') throw aws.reason;
  return [services.value, aws.value];
}

async function startServices(cacheDir: string, folder: string): Promise<EmbeddedServices> {
  await chmod(folder, 0o755); // the services may run as another user
  return await useServices({
    cacheDir,
    dataDir: folder,
    database: true,
    example: false,
    search: true,
    developmentNode: true,
    onProgress: () => {},
  });
}

async function startAws(cacheDir: string): Promise<Aws> {
  const installation = await installMoto(cacheDir, process.env);
  return 'missing' in installation ? installation : await startMoto(installation);
}
