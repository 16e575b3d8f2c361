import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eventually } from './run-eventually.ts';

const MAIN = fileURLToPath(new URL('../../orchestrator/main.ts', import.meta.url));

/** One line of standard error. */
export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [name: string]: unknown;
}

export interface EndedCommand {
  /** Null: ended by a signal that it did not handle. */
  readonly code: number | null;
  /** The last line of standard output; empty when there was none. */
  readonly result: Readonly<Record<string, unknown>>;
  readonly stdout: readonly string[];
  /** Every whole line of standard error; `ended` rejects when one of them is not JSON. */
  readonly log: readonly LogLine[];
  /** All of standard error as it was written. */
  readonly stderr: string;
  readonly seconds: number;
}

/** Starts the command as its user does: in a process of its own, with pipes only. */
export interface RunningCommand {
  readonly child: ChildProcess;
  readonly ended: Promise<EndedCommand>;
  /** Resolves as soon as a line of standard error holds this text. */
  said(text: string): Promise<void>;
}

export interface CommandOptions {
  readonly args: readonly string[];
  readonly folder: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Before the program's own file. */
  readonly nodeFlags?: readonly string[];
  /** Outputs that lie on a full disk. */
  readonly full?: readonly ('stdout' | 'stderr')[];
}

export function startCommand({
  args,
  folder,
  environment,
  nodeFlags = [],
  full = [],
}: CommandOptions): RunningCommand {
  const startMs = performance.now();
  const child = spawn(process.execPath, [...nodeFlags, MAIN, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, ...environment },
    stdio: ['ignore', outputOf('stdout', full), outputOf('stderr', full)],
  });
  const stdout: string[] = [];
  let stderr = '';
  if (child.stdout !== null) createInterface(child.stdout).on('line', (line) => stdout.push(line));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'close').then(
    ([code]): EndedCommand => ({
      code: code as number | null,
      result: resultIn(stdout),
      stdout,
      log: linesOf(stderr).map((line) => JSON.parse(line) as LogLine),
      stderr,
      seconds: (performance.now() - startMs) / 1000,
    }),
  );
  ended.catch(() => undefined); // Whoever waits for it is told; a test that failed before does not.
  const said = async (text: string): Promise<void> => {
    await eventually(`the command says "${text}"`, () => {
      if (stderr.includes(text)) return true;
      if (child.exitCode !== null) throw new Error(`The command ended before it said "${text}": ${stderr}`);
      return false;
    });
  };
  return { child, ended, said };
}

/** Linux's full(4): each write to it fails with ENOSPC. */
function outputOf(name: 'stdout' | 'stderr', full: readonly string[]): 'pipe' | number {
  return full.includes(name) ? openSync('/dev/full', 'w') : 'pipe';
}

/** A killed process may leave half a line behind. */
function linesOf(text: string): string[] {
  return text
    .split('\n')
    .slice(0, -1)
    .filter((line) => line !== '');
}

function resultIn(stdout: readonly string[]): Record<string, unknown> {
  const last = stdout.at(-1);
  return last === undefined ? {} : (JSON.parse(last) as Record<string, unknown>);
}

/** The result of a command that must have exited with 0. If it did not, it throws all output of the command. */
export function resultOf(ended: EndedCommand): EndedCommand['result'] {
  requireCode(ended, 0);
  return ended.result;
}

/** The error of a command that must have exited with this code, from its last line. */
export function errorOf(ended: EndedCommand, code: number): string {
  requireCode(ended, code);
  return String(ended.result['error']);
}

function requireCode({ code, stderr }: EndedCommand, expected: number): void {
  if (code !== expected) throw new Error(`The command exited with ${code}, not with ${expected}:\n${stderr}`);
}
