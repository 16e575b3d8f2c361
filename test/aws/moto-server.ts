import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { PythonPackages } from '../support/python-packages.ts';

const SERVER = fileURLToPath(new URL('./moto_server.py', import.meta.url));
/** Apart from 127.0.0.1, where the other services have their ports. */
const ADDRESS = '127.0.0.4';
/** It takes about a second alone on a machine. */
const READY_TIMEOUT_MS = 120_000;
const LINES_KEPT = 30;

/** An AWS API on this machine. */
export interface MotoServer {
  /** For `AWS_ENDPOINT_URL`. */
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/**
 * Starts an AWS API with nothing in it, and waits until it answers. It ends with this process, however that ends.
 * @param environment settings of moto, e.g. `INITIAL_NO_AUTH_ACTION_COUNT`
 * @throws with its last words if it ends or is not ready in time.
 */
export async function startMoto(
  { python, packages }: PythonPackages,
  environment: Readonly<Record<string, string>> = {},
): Promise<MotoServer> {
  const child = spawn(python, ['-s', SERVER, ADDRESS], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      PYTHONPATH: packages,
      PYTHONDONTWRITEBYTECODE: '1', // of the few files here; pip has compiled the packages
      MOTO_EC2_LOAD_DEFAULT_AMIS: 'false', // a test registers the images that it wants
      ...environment,
    },
  });
  const exited = once(child, 'close');
  const lastLines = keepLastLines(child);
  child.stdin.on('error', () => {}); // it may end first; its exit says so
  const first = await Promise.race([
    once(createInterface(child.stdout), 'line', { signal: AbortSignal.timeout(READY_TIMEOUT_MS) }),
    exited.then(() => null),
  ]).catch(() => null);
  if (first === null) {
    child.kill('SIGKILL');
    throw new Error(`moto does not start. Its last words:\n${lastLines.join('\n')}`);
  }
  const { url } = JSON.parse(String(first[0])) as { url: string };
  return {
    url,
    stop: async () => {
      child.stdin.end();
      await exited;
    },
  };
}

/** Reads on, for a full pipe would hold it up: it writes a line for each call. */
function keepLastLines(child: ChildProcess): string[] {
  const lines: string[] = [];
  if (!child.stderr) return lines;
  createInterface(child.stderr).on('line', (line) => {
    lines.push(line);
    if (lines.length > LINES_KEPT) lines.shift();
  });
  return lines;
}
