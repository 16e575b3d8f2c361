import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheDirectory } from '../../embedded/cache.ts';
import { findOpensearchMeans, type Opensearch, startOpensearch } from '../../embedded/opensearch.ts';
import { fetchOpensearch, isFetched } from '../../embedded/opensearch-distribution.ts';
import { type Postgresql, startPostgresql } from '../../embedded/postgresql.ts';
import { processEntry, signal as send, waitUntil } from '../../embedded/process-table.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

/** How long a service may take to return on a busy machine. */
const RESTART_TIMEOUT_MS = 300_000;
const END_TIMEOUT_MS = 10_000;

/** A service that can be killed and started again on its data, and how the round's commands reach it. */
export interface Service {
  /** An address that bypasses the proxy, for the harness alone. */
  readonly url: string;
  readonly proxy: TcpProxy;
  /** Its live processes. The first one ends all others when it is killed. */
  pids(): Promise<number[]>;
  /** Kills it, and starts it again on the same data after some time. */
  killAndRestart(backAfterMs: number): Promise<void>;
  end(): Promise<void>;
}

interface Running {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** A PostgreSQL that loses no commit when it is killed. Its other settings are those of the embedded one. */
export function startDatabase(folder: string, signal: AbortSignal): Promise<Service> {
  const cacheDir = cacheDirectory(process.env);
  return supervise(
    (): Promise<Postgresql> =>
      startPostgresql({
        cacheDir,
        dataDir: join(folder, 'postgresql'),
        settings: { synchronous_commit: 'on' },
      }),
    signal,
  );
}

/** A real OpenSearch. @throws Error with what the machine lacks for it */
export async function startSearch(folder: string, signal: AbortSignal): Promise<Service> {
  const cacheDir = cacheDirectory(process.env);
  const means = await findOpensearchMeans(cacheDir, process.env);
  if ('missing' in means) throw new Error(`${means.missing}.`);
  if (means.maven !== null && !isFetched(cacheDir)) await fetchOpensearch(means.maven, cacheDir, signal);
  return supervise(
    (): Promise<Opensearch> =>
      startOpensearch({ cacheDir, dataDir: join(folder, 'opensearch'), java: means.java, signal }),
    signal,
  );
}

async function supervise(start: () => Promise<Running>, signal: AbortSignal): Promise<Service> {
  let running = await start();
  const proxy = await TcpProxy.start(running.url);
  const pids = async (): Promise<number[]> => [running.pid, ...(await childrenOf(running.pid))];
  const kill = async (): Promise<void> => {
    const all = await pids();
    send(running.pid, 'SIGKILL');
    // PostgreSQL's other processes notice the end by themselves, unless they are paused.
    if (!(await haveEnded(all))) for (const pid of all) send(pid, 'SIGKILL');
    if (!(await haveEnded(all))) throw new Error(`Processes ${all.join(', ')} do not end by SIGKILL.`);
  };
  return {
    get url() {
      return running.url;
    },
    proxy,
    pids,
    async killAndRestart(backAfterMs) {
      await kill();
      await sleep(backAfterMs, undefined, { signal });
      running = await startAgain(start, signal);
      proxy.retarget(running.url);
    },
    async end() {
      await kill();
      await running.stop();
      await proxy.stop();
    },
  };
}

/** The memory of a killed server may be in use for a moment longer. */
async function startAgain(start: () => Promise<Running>, signal: AbortSignal): Promise<Running> {
  const deadlineMs = performance.now() + RESTART_TIMEOUT_MS;
  for (;;) {
    signal.throwIfAborted();
    try {
      return await start();
    } catch (error) {
      if (performance.now() > deadlineMs) throw error;
      await sleep(500, undefined, { signal });
    }
  }
}

function haveEnded(pids: readonly number[]): Promise<boolean> {
  return waitUntil(() => pids.every((pid) => processEntry(pid) === null), END_TIMEOUT_MS);
}

/** Of all its threads (proc_pid_task(5)). */
async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.split(' ').filter(Boolean).map(Number);
}
