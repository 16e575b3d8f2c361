import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { processEntry } from './process-table.ts';
import { makeReadableDirectory } from './unprivileged.ts';

export const OPENSEARCH_VERSION = '3.6.0';
/** Of opensearch-3.6.0.zip as Maven Central has it. */
const SHA256 = 'a91faa1dc1cadc78cb278b4f63847e19e1627a4e9de698e14e7efc14ee37b286';
const GROUP = 'org.opensearch.distribution.integ-test-zip';
const ARTIFACT = `${GROUP}:opensearch:${OPENSEARCH_VERSION}:zip`;
const MAVEN_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1';
const FETCH_TIMEOUT_MS = 15 * 60_000;

export function distributionFolder(cacheDir: string): string {
  return join(cacheDir, 'opensearch', `opensearch-${OPENSEARCH_VERSION}`);
}

/** Whether OpenSearch is in the cache, so that nothing needs to be fetched. */
export function isFetched(cacheDir: string): boolean {
  return existsSync(distributionFolder(cacheDir));
}

/**
 * Fetches OpenSearch's official distribution (without its JDK, 162 MB) by Maven into the cache: into a folder of its own
 * first, where its checksum is compared, and from there by one rename, so that what lies in the cache is whole.
 */
export async function fetchOpensearch(maven: string, cacheDir: string, signal?: AbortSignal): Promise<void> {
  const target = distributionFolder(cacheDir);
  await makeReadableDirectory(dirname(target));
  await removeUnfinished(dirname(target));
  const work = await mkdtemp(join(dirname(target), `unfinished-${process.pid}-`));
  const run = (goal: string, options: string[]): Promise<void> =>
    runMaven({ maven, work, goal, options, signal });
  try {
    await chmod(work, 0o755);
    await run('copy', [`-DoutputDirectory=${join(work, 'zip')}`, '-Dmdep.useBaseVersion=true']);
    await verifyChecksum(join(work, 'zip', `opensearch-${OPENSEARCH_VERSION}.zip`));
    // The geographical databases are a third of it, and no index here needs them.
    await run('unpack', ['-o', `-DoutputDirectory=${work}`, '-Dmdep.unpack.excludes=**/ingest-geoip/**']);
    await rename(join(work, `opensearch-${OPENSEARCH_VERSION}`), target).catch((error: unknown) => {
      if (!existsSync(target)) throw error; // otherwise another process was faster
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

interface MavenRun {
  readonly maven: string;
  readonly work: string;
  readonly goal: string;
  readonly options: readonly string[];
  readonly signal: AbortSignal | undefined;
}

async function runMaven({ maven, work, goal, options, signal }: MavenRun): Promise<void> {
  // A repository of its own: a broken download is gone with the folder and cannot be found again at the next try.
  const args = [
    '-q',
    '-B',
    `-Dmaven.repo.local=${join(work, 'repository')}`,
    `${MAVEN_PLUGIN}:${goal}`,
    `-Dartifact=${ARTIFACT}`,
  ];
  try {
    await promisify(execFile)(maven, [...args, ...options], {
      cwd: work,
      timeout: FETCH_TIMEOUT_MS,
      ...(signal && { signal }),
    });
  } catch (error) {
    signal?.throwIfAborted();
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    const words = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('ERROR'));
    throw new Error(`Maven could not fetch OpenSearch: ${words[0] ?? (error as Error).message}`, {
      cause: error,
    });
  }
}

async function verifyChecksum(file: string): Promise<void> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  const found = hash.digest('hex');
  if (found !== SHA256) {
    throw new Error(
      `What Maven fetched is not OpenSearch ${OPENSEARCH_VERSION}: its SHA-256 is ${found}, not ${SHA256}. It was deleted.`,
    );
  }
}

/** Removes what an interrupted fetch left behind, but not the work of one that runs now. */
async function removeUnfinished(folder: string): Promise<void> {
  const names = await readdir(folder);
  const isAbandoned = (name: string): boolean => {
    const owner = /^unfinished-(\d+)-/.exec(name)?.[1];
    return owner !== undefined && processEntry(Number(owner)) === null;
  };
  const abandoned = names.filter(isAbandoned);
  await Promise.all(abandoned.map((name) => rm(join(folder, name), { recursive: true, force: true })));
}
