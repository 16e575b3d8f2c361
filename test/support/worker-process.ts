import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach } from 'vitest';
import { NODE_ENVIRONMENT } from './node-environment.ts';

const WORKER_MAIN = new URL('../../worker/main.ts', import.meta.url).pathname;

export interface WorkerProcess {
  readonly child: ChildProcess;
  /** What it logged so far. */
  readonly log: { msg?: string; url?: string; why?: string; [name: string]: unknown }[];
  /** What it wrote to standard error so far. */
  errors(): string;
  /** Its exit code, once it has ended. */
  readonly exit: Promise<number | null>;
  /** Its address, once it listens. */
  listening(): Promise<string>;
}

/** Returns a function that starts a worker process. Each process ends with its test. */
export function workerProcesses(): (environment: NodeJS.ProcessEnv, ...args: string[]) => WorkerProcess {
  const started: WorkerProcess[] = [];
  afterEach(async () => {
    for (const { child, exit } of started.splice(0)) {
      child.kill('SIGKILL');
      await exit;
    }
  });
  return (environment, ...args) => {
    const worker = startWorkerProcess(environment, args);
    started.push(worker);
    return worker;
  };
}

function startWorkerProcess(environment: NodeJS.ProcessEnv, args: readonly string[]): WorkerProcess {
  const child = spawn(process.execPath, [WORKER_MAIN, ...args], {
    env: { ...NODE_ENVIRONMENT, ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const log: WorkerProcess['log'] = [];
  let errors = '';
  createInterface({ input: child.stdout }).on('line', (line) => log.push(JSON.parse(line)));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const exit = once(child, 'close').then(([code]) => code as number | null);
  const listening = async (): Promise<string> => {
    const deadline = Date.now() + 20_000;
    while (Date.now() < deadline && child.exitCode === null) {
      const line = log.find(({ msg }) => msg === 'listening');
      if (line?.url !== undefined) return line.url;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`The worker does not listen. ${errors}`);
  };
  return { child, log, errors: () => errors, exit, listening };
}

/** A folder with a definition, and with more of them by their names; removed with its test. */
export function definitionFolders(): (
  name: string,
  yaml: string,
  more?: Readonly<Record<string, string>>,
) => Promise<string> {
  const folders: string[] = [];
  afterEach(async () => {
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
  });
  return async (name, yaml, more = {}) => {
    const folder = await mkdtemp(join(tmpdir(), 'reindex-worker-test-'));
    folders.push(folder);
    for (const [each, text] of Object.entries({ ...more, [name]: yaml }))
      await writeFile(join(folder, `${each}.yaml`), text);
    return folder;
  };
}
