import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findExecutable } from './executables.ts';
import { findJava, type Java } from './java.ts';
import { distributionFolder, isFetched, OPENSEARCH_VERSION } from './opensearch-distribution.ts';
import { opensearchArguments, opensearchFiles } from './opensearch-settings.ts';
import { freePort } from './port.ts';
import { endLeftOver } from './process-table.ts';
import { logTail, type ServiceProcess, startServiceProcess } from './service-process.ts';
import { giveToService, makeServiceDirectory } from './unprivileged.ts';
import { ServicesFailure } from './services-failure.ts';

/** OpenSearch 3 wants Java 21 or later (its installation guide, "Java compatibility"). */
const LEAST_JAVA = 21;
const READY_TIMEOUT_MS = 120_000;
const SIGNALS = { stop: 'SIGTERM', force: 'SIGKILL' } as const;

/** What a real OpenSearch needs from this machine, or a clause that says what is missing. */
export type OpensearchMeans =
  | { readonly java: Java; readonly maven: string | null }
  | { readonly missing: string };

export interface OpensearchOptions {
  readonly cacheDir: string;
  /** The folder of this node: configuration, indexes, logs. Its indexes are there again at the next start. */
  readonly dataDir: string;
  readonly java: Java;
  /** Ends a start that is under way. */
  readonly signal?: AbortSignal;
}

export interface Opensearch {
  readonly url: string;
  readonly pid: number;
  isRunning(): boolean;
  stop(): Promise<void>;
}

/** Whether this machine can run a real OpenSearch. It needs a fitting Java, and Maven if OpenSearch is not in the cache. */
export async function findOpensearchMeans(
  cacheDir: string,
  environment: NodeJS.ProcessEnv,
): Promise<OpensearchMeans> {
  const java = await findJava(LEAST_JAVA, environment);
  const maven = findExecutable('mvn', environment);
  const lacks = [
    java ? null : `a Java ${LEAST_JAVA} or later`,
    maven || isFetched(cacheDir) ? null : 'Maven (mvn)',
  ];
  const missing = lacks.filter((what) => what !== null).join(' and ');
  return java && missing === ''
    ? { java, maven }
    : { missing: `OpenSearch needs ${missing}, which this machine lacks` };
}

/** Starts the OpenSearch in the cache and waits for its health. Errors show the end of its log. */
export async function startOpensearch(options: OpensearchOptions): Promise<Opensearch> {
  const { dataDir } = options;
  await endLeftOverOpensearch(dataDir);
  const port = await freePort(await lastPort(dataDir));
  await writeConfiguration(dataDir, port);
  const classArchive = await classArchiveOf(options);
  const node = await startServiceProcess({
    name: 'OpenSearch',
    command: options.java.path,
    args: opensearchArguments({
      home: distributionFolder(options.cacheDir),
      dataDir,
      classArchive,
    }),
    cwd: dataDir,
    env: { PATH: process.env['PATH'], HOME: dataDir },
    logFile: logFile(dataDir),
    signals: SIGNALS,
  });
  await writeFile(processFile(dataDir), JSON.stringify({ pid: node.pid, port }));
  const url = `http://127.0.0.1:${port}`;
  await waitForHealth(url, node, options);
  return { url, pid: node.pid, isRunning: () => !node.hasExited(), stop: () => node.stop() };
}

/** Ends the node that a killed keeper left behind. */
export async function endLeftOverOpensearch(dataDir: string): Promise<void> {
  const { pid } = await lastProcess(dataDir);
  if (pid !== undefined) await endLeftOver(pid, configurationFolder(dataDir), SIGNALS);
}

const configurationFolder = (dataDir: string): string => join(dataDir, 'config');
const processFile = (dataDir: string): string => join(dataDir, 'process.json');
const logFile = (dataDir: string): string => join(dataDir, 'opensearch.log');
/** Java writes its archive of loaded classes here, as the unprivileged user. It halves the work of the next start. */
const archiveFolder = (cacheDir: string): string => join(cacheDir, 'opensearch', 'class-archives');

/**
 * Null at the first start of all: writing the archive takes some seconds at a node's end, for which somebody who only
 * tries a command would wait.
 */
async function classArchiveOf({ cacheDir, java }: OpensearchOptions): Promise<string | null> {
  const folder = archiveFolder(cacheDir);
  if (existsSync(folder)) return join(folder, `${OPENSEARCH_VERSION}-java-${java.version}.jsa`);
  await makeServiceDirectory(folder);
  return null;
}

async function lastProcess(dataDir: string): Promise<{ pid?: number; port?: number }> {
  const text = await readFile(processFile(dataDir), 'utf8').catch(() => '');
  return text === '' ? {} : (JSON.parse(text) as { pid: number; port: number });
}

async function lastPort(dataDir: string): Promise<number | undefined> {
  return (await lastProcess(dataDir)).port;
}

async function writeConfiguration(dataDir: string, port: number): Promise<void> {
  await makeServiceDirectory(dataDir);
  await Promise.all(
    ['config', 'data', 'logs', 'tmp'].map((name) => makeServiceDirectory(join(dataDir, name))),
  );
  const files = Object.entries(opensearchFiles(dataDir, port));
  await Promise.all(
    files.map(async ([name, text]) => {
      const path = join(configurationFolder(dataDir), name);
      await writeFile(path, text);
      await giveToService(path);
    }),
  );
}

async function waitForHealth(
  url: string,
  node: ServiceProcess,
  { dataDir, signal }: OpensearchOptions,
): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  const isLate = (): boolean => performance.now() > deadline;
  while (!(await isHealthy(url))) {
    if (node.hasExited() || isLate() || signal?.aborted) {
      await node.stop();
      signal?.throwIfAborted();
      const what = isLate() ? `was not ready within ${READY_TIMEOUT_MS / 1000} s` : 'ended while starting';
      throw new ServicesFailure(
        `OpenSearch ${what}. The end of ${logFile(dataDir)}:\n${logTail(logFile(dataDir))}`,
      );
    }
    await sleep(50);
  }
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/_cluster/health?wait_for_status=yellow&timeout=1s`, {
      signal: AbortSignal.timeout(5_000),
    });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false; // it does not listen yet
  }
}
