import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { publishFolder } from './published-folder.ts';
import { ServicesFailure } from './services-failure.ts';

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

/** Whether OpenSearch is in the cache. Then nothing needs to be fetched. */
export function isFetched(cacheDir: string): boolean {
  return existsSync(distributionFolder(cacheDir));
}

/**
 * Fetches OpenSearch's official distribution (without its JDK, 162 MB) by Maven into the cache. It is published there only if
 * its checksum is right.
 */
export async function fetchOpensearch(maven: string, cacheDir: string, signal?: AbortSignal): Promise<void> {
  await publishFolder(distributionFolder(cacheDir), async (work) => {
    const run = (goal: string, options: string[]): Promise<void> =>
      runMaven({ maven, work, goal, options, signal });
    await run('copy', [`-DoutputDirectory=${join(work, 'zip')}`, '-Dmdep.useBaseVersion=true']);
    await verifyChecksum(join(work, 'zip', `opensearch-${OPENSEARCH_VERSION}.zip`));
    // The geographical databases are a third of it. No index here needs them.
    await run('unpack', ['-o', `-DoutputDirectory=${work}`, '-Dmdep.unpack.excludes=**/ingest-geoip/**']);
    return join(work, `opensearch-${OPENSEARCH_VERSION}`);
  });
}

interface MavenRun {
  readonly maven: string;
  readonly work: string;
  readonly goal: string;
  readonly options: readonly string[];
  readonly signal: AbortSignal | undefined;
}

async function runMaven({ maven, work, goal, options, signal }: MavenRun): Promise<void> {
  // A repository of its own. A broken download goes with the folder, so the next try cannot find it.
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
    throw new ServicesFailure(
      `Maven could not fetch OpenSearch. Check the network and Maven's settings. Maven says: ${words[0] ?? (error as Error).message}`,
      {
        cause: error,
      },
    );
  }
}

async function verifyChecksum(file: string): Promise<void> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  const found = hash.digest('hex');
  if (found !== SHA256) {
    throw new ServicesFailure(
      `What Maven fetched is not OpenSearch ${OPENSEARCH_VERSION}: its SHA-256 is ${found}, not ${SHA256}. The file is deleted. Check where Maven downloads from, then try again.`,
    );
  }
}
