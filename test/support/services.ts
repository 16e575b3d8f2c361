import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { EmbeddedServices, UseServicesOptions } from '../../embedded/services.ts';
import { processEntry, waitUntil } from '../../embedded/process-table.ts';

const USER = fileURLToPath(new URL('./services-user.ts', import.meta.url));

export interface ServicesUser {
  readonly process: ChildProcess;
  readonly services: Omit<EmbeddedServices, 'stop'> & { readonly progress: string[] };
  /** Ends its use in an orderly way. Resolves when the process has ended. */
  stop(): Promise<void>;
  /** Ends the process by SIGKILL. */
  kill(): Promise<void>;
}

/** Starts a process that uses the services and waits until it has them. */
export async function startServicesUser(
  options: Omit<UseServicesOptions, 'onProgress'>,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<ServicesUser> {
  const child = spawn(process.execPath, [USER, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: environment,
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const exit = once(child, 'exit');
  const line = once(createInterface(child.stdout), 'line');
  const first = await Promise.race([line, exit.then(() => null)]);
  if (first === null) throw new Error(`The services' user ended: ${errors}`);
  return {
    process: child,
    services: JSON.parse(String(first[0])) as ServicesUser['services'],
    async stop() {
      child.stdin.end();
      await exit;
    },
    async kill() {
      child.kill('SIGKILL');
      await exit;
    },
  };
}

/** A folder that the services' user can read, removed by `remove`. */
export function createServiceFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'reindex-fleet-services-'));
  chmodSync(path, 0o755);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export function postmasterFile(dataDir: string): string {
  return join(dataDir, 'postgresql', 'database', 'postmaster.pid');
}

export function postgresqlPid(dataDir: string): number {
  return Number(readFileSync(postmasterFile(dataDir), 'utf8').split('\n')[0]);
}

export async function hasEnded(pid: number, timeoutMs = 5_000): Promise<boolean> {
  return waitUntil(() => processEntry(pid) === null, timeoutMs);
}
