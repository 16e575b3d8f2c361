import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, sep } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { type Minute, readMinute, type ToldLine } from './told.ts';

const SHOWN_LINES = 20;

export interface MinuteOptions {
  /** The repository that is cloned. */
  readonly repository: string;
  readonly commit: string;
  /** Ends the measurement and what it started. */
  readonly signal: AbortSignal;
}

/**
 * Measures a new user's first minute: from the clone of a commit, with an empty project cache, to the end of
 * `npm run reindex`. Clone and cache are removed.
 *
 * @throws Error with the run's last lines if it fails
 */
export async function measureMinute({ repository, commit, signal }: MinuteOptions): Promise<Minute> {
  const folder = await mkdtemp(join(tmpdir(), 'first-minute-'));
  try {
    await chmod(folder, 0o755); // the services may run as another user
    const clone = join(folder, 'clone');
    const cache = join(folder, 'cache');
    await mkdir(cache, { mode: 0o755 });
    const begin = performance.now();
    const elapsed = (): number => (performance.now() - begin) / 1000;
    const git = promisify(execFile);
    await git('git', ['clone', '--quiet', '--no-checkout', repository, clone], { signal });
    await git('git', ['checkout', '--quiet', '--detach', commit], { cwd: clone, signal });
    const { lines, code } = await reindex({ clone, cache, elapsed, signal });
    const ended = elapsed();
    signal.throwIfAborted();
    const minute = code === 0 ? readMinute(lines, ended) : null;
    if (minute !== null) return minute;
    const last = lines.slice(-SHOWN_LINES).map(({ text }) => text);
    throw new Error(
      `npm run reindex of ${commit} ended with exit code ${code}. Its last lines:\n${last.join('\n')}`,
    );
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 500 });
  }
}

interface Reindex {
  readonly clone: string;
  readonly cache: string;
  readonly elapsed: () => number;
  readonly signal: AbortSignal;
}

async function reindex({ clone, cache, elapsed, signal }: Reindex): Promise<{
  lines: ToldLine[];
  code: number | null;
}> {
  const child = spawn('npm', ['run', 'reindex'], {
    cwd: clone,
    env: { ...newUsersEnvironment(process.env), REINDEX_FLEET_CACHE: cache },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a group of its own, which one signal reaches as a terminal's Ctrl-C does
  });
  const stop = (): void => interrupt(child);
  signal.addEventListener('abort', stop);
  const lines: ToldLine[] = [];
  for (const input of [child.stdout, child.stderr])
    createInterface({ input }).on('line', (text) => lines.push({ text, at: elapsed() }));
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return { lines: resultLast(lines), code };
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function interrupt({ pid, exitCode }: ChildProcess): void {
  if (pid !== undefined && exitCode === null) process.kill(-pid, 'SIGINT');
}

/** Output and progress come by two pipes, of which either may be read first. */
function resultLast(lines: readonly ToldLine[]): ToldLine[] {
  return lines.toSorted((one, other) => Number(isResult(one)) - Number(isResult(other)));
}

const isResult = ({ text }: ToldLine): boolean => text.startsWith('{"status":');

/** Without what this npm script and a person's settings put there, so that npm and Node are the machine's own. */
function newUsersEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(([name]) => !/^(npm_|NODE|INIT_CWD$|REINDEX_)/.test(name));
  const folders = (environment['PATH'] ?? '').split(delimiter);
  const own = folders.filter((folder) => !folder.includes(`${sep}node_modules${sep}`));
  return { ...Object.fromEntries(kept), PATH: own.join(delimiter) };
}
