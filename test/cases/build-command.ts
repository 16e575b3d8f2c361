import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CommandEnd } from './case.ts';

/** The command line of this checkout. */
export const OWN_BUILD = fileURLToPath(new URL('../../orchestrator/main.ts', import.meta.url));

interface StartedCommand {
  readonly child: ChildProcess;
  readonly ended: Promise<CommandEnd>;
}

/** Gives a command of a build as its user does: in a process of its own, in its folder. Any output is taken. */
export function startBuild(main: string, folder: string, args: readonly string[]): StartedCommand {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'close').then(
    ([code]): CommandEnd => ({ code: code as number | null, result: resultIn(stdout), stdout, stderr }),
  );
  return { child, ended };
}

function resultIn(stdout: string): Record<string, unknown> {
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  try {
    const value: unknown = JSON.parse(last);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
