import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { TestScope } from '../support/run-setup.ts';
import type { DriverInput, DriverOutcome } from './lambda-driver.ts';

const DRIVER = fileURLToPath(new URL('./lambda-driver.ts', import.meta.url));

/** What EventBridge Scheduler sends where the schedule names no input of its own. */
const SCHEDULED_EVENT = {
  version: '0',
  id: 'd32c5kddcf5bb8c3',
  'detail-type': 'Scheduled Event',
  source: 'aws.scheduler',
  account: '123456789012',
  time: '2026-01-01T00:15:00Z',
  region: 'eu-central-1',
  resources: ['arn:aws:scheduler:eu-central-1:123456789012:schedule/default/books-sweep'],
  detail: '{}',
};

export interface Invoked {
  readonly invocations: readonly DriverOutcome[];
  /** The function's log, line by line. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
}

export interface InvokeOptions {
  /** Of `bundleSweeper`. */
  readonly code: string;
  /** All that the function's process has in its environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** In one process; 1 by default. */
  readonly times?: number;
  /** What the function has left of its time; 5 minutes by default. */
  readonly remainingMs?: number;
}

/** The very bundle, alone in a folder, in a process of its own. */
export async function invokeSweeper(
  scope: TestScope,
  { code, environment, times = 1, remainingMs = 300_000 }: InvokeOptions,
): Promise<Invoked> {
  const folder = await mkdtemp(join(tmpdir(), 'reindex-fleet-sweeper-'));
  scope.onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const bundle = join(folder, 'index.mjs');
  await writeFile(bundle, code);
  const input: DriverInput = { events: Array.from({ length: times }, () => SCHEDULED_EVENT), remainingMs };
  const child = spawn(process.execPath, [DRIVER, bundle, JSON.stringify(input)], {
    cwd: folder,
    env: { ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  scope.onTestFinished(async () => void child.kill('SIGKILL'));
  const [log, outcomes, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  if (exitCode !== 0) throw new Error(`The function's process ended with ${exitCode}:\n${outcomes}\n${log}`);
  return { invocations: jsonIn(outcomes), log: jsonIn(log) };
}

function jsonIn<T>(lines: string): T[] {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}
