import { spawn } from 'node:child_process';
import { getCompileCacheDir } from 'node:module';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { WORKER_NODE_FLAGS } from '../../../worker/contract.ts';

const WORKER_MAIN = fileURLToPath(new URL('../../../worker/main.ts', import.meta.url));
/** A worker answers SIGTERM within 2 s. After this time it is killed, before a signalled orchestrator must leave. */
const KILL_AFTER_MS = 2_300;
const LINES_KEPT = 8;

/** One worker process on this machine. */
export interface WorkerProcess {
  readonly id: string;
  readonly phase: 'pending' | 'running' | 'terminating' | 'gone';
  readonly url: string | null;
  readonly launchedAt: Date;
  readonly endedAt: Date | null;
  /** Its last words, once it has ended by itself. */
  readonly detail: string | null;
  readonly exited: Promise<void>;
  /** Asks it to end, and kills it if it does not. */
  end(): void;
}

export function spawnWorker(id: string, environment: Readonly<Record<string, string>>): WorkerProcess {
  const launchedAt = new Date();
  const child = spawn(process.execPath, [...WORKER_NODE_FLAGS, WORKER_MAIN], {
    // With a process group of its own, an interrupt from the terminal reaches only the orchestrator, which ends its
    // workers.
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...inheritedEnvironment(),
      NODE_COMPILE_CACHE: getCompileCacheDir() ?? '',
      ...environment,
      REINDEX_WORKER_ID: id,
    },
  });
  const lastLines: string[] = [];
  const state: { url: string | null; told: boolean; ended: string | null; endedAt: Date | null } = {
    url: null,
    told: false,
    ended: null,
    endedAt: null,
  };
  const hear = (line: string): void => {
    state.url ??= listeningUrl(line);
    lastLines.push(line.slice(0, 500));
    if (lastLines.length > LINES_KEPT) lastLines.shift();
  };
  createInterface({ input: child.stdout }).on('line', hear);
  createInterface({ input: child.stderr }).on('line', hear);
  child.stdin.on('error', () => {}); // It may end first; its exit says so.
  const exited = new Promise<void>((resolve) => {
    const end = (how: string): void => {
      state.ended = how;
      state.endedAt ??= new Date();
      resolve();
    };
    child.once('error', (error) => end(`could not be started: ${error.message}`));
    child.once('close', (code, signal) => end(`ended by ${signal ?? `exit code ${code}`}`));
  });
  return {
    id,
    exited,
    launchedAt,
    get endedAt() {
      return state.endedAt;
    },
    get url() {
      return state.url;
    },
    get phase() {
      if (state.ended !== null) return 'gone';
      if (state.told) return 'terminating';
      return state.url === null ? 'pending' : 'running';
    },
    get detail() {
      return state.ended === null || state.told ? null : [state.ended, ...lastLines].join('\n');
    },
    end() {
      if (state.told || state.ended !== null) return;
      state.told = true;
      child.kill('SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
      void exited.then(() => clearTimeout(killer));
    },
  };
}

/**
 * The environment that a worker inherits: proxies, paths and certificates, but no settings or secrets of the
 * orchestrator.
 */
function inheritedEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('REINDEX_')));
}

/** Reads where the worker listens from its JSON line. */
function listeningUrl(line: string): string | null {
  try {
    const record: unknown = JSON.parse(line);
    const isListening =
      typeof record === 'object' && record !== null && 'msg' in record && record.msg === 'listening';
    return isListening && 'url' in record && typeof record.url === 'string' ? record.url : null;
  } catch {
    return null;
  }
}
