import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServicesFailure } from './services-failure.ts';

/** Distinguishes a process from a later one with the same number. */
export interface ProcessEntry {
  /** When it started, in the system's own form. Use it only to compare. */
  readonly started: string;
  readonly command: string;
}

/** The living process with this number. Null: there is none. A process that has ended but is not reaped counts as gone. */
export function processEntry(pid: number): ProcessEntry | null {
  return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
}

function fromProc(pid: number): ProcessEntry | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // Behind the name, which may hold spaces and parentheses: state is the 1st field, start time the 20th (proc(5): 3 and 22).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return null;
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return { started: fields[19] ?? '', command };
  } catch {
    return null;
  }
}

function fromPs(pid: number): ProcessEntry | null {
  try {
    const line = execFileSync('ps', ['-ww', '-o', 'lstart=,command=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, LC_ALL: 'C' },
    });
    // `lstart` has a fixed width of 24 characters: "Thu Nov 20 04:12:38 2025".
    return { started: line.slice(0, 24), command: line.slice(25).trim() };
  } catch {
    return null;
  }
}

/** Sends a signal. False: there is no such process any more. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

/**
 * Ends a process that a killed keeper left behind, if the command line of this number still contains `commandPart`. It sends
 * `stop` first, and `force` after `graceMs`. Returns whether there was such a process.
 */
export async function endLeftOver(
  pid: number,
  commandPart: string,
  signals: { stop: NodeJS.Signals; force: NodeJS.Signals },
  graceMs = 8_000,
): Promise<boolean> {
  const isOurs = (): boolean => processEntry(pid)?.command.includes(commandPart) ?? false;
  if (!isOurs()) return false;
  signal(pid, signals.stop);
  if (await waitUntil(() => !isOurs(), graceMs)) return true;
  signal(pid, signals.force);
  if (await waitUntil(() => !isOurs(), 5_000)) return true;
  throw new ServicesFailure(
    `Process ${pid} of an earlier start does not end. End it by hand (kill -9 ${pid}).`,
  );
}

/** Waits for a condition and checks it every 20 ms. False: it did not come true within `timeoutMs`. */
export async function waitUntil(condition: () => boolean, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) return false;
    await sleep(20);
  }
  return true;
}
