import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
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
/** Modules that no index here needs: they are half of what is unpacked, and a start without them is shorter. */
const UNNEEDED_MODULES = ['ingest-geoip', 'transport-grpc', 'opensearch-dashboards', 'rule-framework'];
const FETCH_TIMEOUT_MS = 15 * 60_000;

export function distributionFolder(cacheDir: string): string {
  return join(cacheDir, 'opensearch', `opensearch-${OPENSEARCH_VERSION}`);
}

/** Whether OpenSearch is in the cache. Then nothing needs to be fetched. */
export function isFetched(cacheDir: string): boolean {
  return existsSync(distributionFolder(cacheDir));
}

/**
 * Fetches OpenSearch's official distribution (without its JDK, 162 MB) by Maven into the cache, where it
 * is published when its checksum is right. It comes from the person's Maven repository if it lies there. What is not
 * right there is fetched anew, into a repository that goes with the work.
 */
export async function fetchOpensearch(maven: string, cacheDir: string, signal?: AbortSignal): Promise<void> {
  const make = async (work: string): Promise<string> => {
    const zip = join(work, `opensearch-${OPENSEARCH_VERSION}.zip`);
    await runMaven({ maven, work, repository: null, signal });
    if ((await checksum(zip)) !== SHA256) {
      const unpacked = join(work, `opensearch-${OPENSEARCH_VERSION}`);
      await Promise.all([zip, unpacked].map((path) => rm(path, { recursive: true, force: true })));
      await runMaven({ maven, work, repository: join(work, 'repository'), signal });
      await verifyChecksum(zip);
    }
    return join(work, `opensearch-${OPENSEARCH_VERSION}`);
  };
  await publishFolder(distributionFolder(cacheDir), make, signal);
}

interface MavenRun {
  readonly maven: string;
  readonly work: string;
  /** Null: the person's own. */
  readonly repository: string | null;
  readonly signal: AbortSignal | undefined;
}

/** Puts the archive and what is in it into the work folder, both by one start of Maven. */
async function runMaven({ maven, work, repository, signal }: MavenRun): Promise<void> {
  const args = [
    '-q',
    '-B',
    ...(repository === null ? [] : [`-Dmaven.repo.local=${repository}`]),
    `${MAVEN_PLUGIN}:copy`,
    `${MAVEN_PLUGIN}:unpack`,
    `-Dartifact=${ARTIFACT}`,
    `-DoutputDirectory=${work}`,
    '-Dmdep.useBaseVersion=true',
    `-Dmdep.unpack.excludes=${UNNEEDED_MODULES.map((name) => `**/modules/${name}/**`).join(',')}`,
  ];
  try {
    await promisify(execFile)(maven, args, {
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

async function checksum(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

async function verifyChecksum(file: string): Promise<void> {
  const found = await checksum(file);
  if (found !== SHA256) {
    throw new ServicesFailure(
      `What Maven fetched is not OpenSearch ${OPENSEARCH_VERSION}: its SHA-256 is ${found}, not ${SHA256}. The file is deleted. Check where Maven downloads from, then try again.`,
    );
  }
}
