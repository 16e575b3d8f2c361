import { CommanderError } from 'commander';
import { exitCodeOf } from '../definition/failure.ts';
import type { Over } from './start.ts';

/** How the process ends. */
export interface Ending {
  /** As a clause. */
  readonly why: string;
  readonly exitCode: number;
  /**
   * What becomes of the instance that it runs on. `kept`: nothing, for it is going down already, or others look after
   * it. `removed`: its group does with one less. `replaced`: work is left, so its group launches another.
   */
  readonly instance: 'kept' | 'removed' | 'replaced';
}

const EXIT_FAILED = 1;
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/** Resolves with the first signal. */
export function endingBySignal(): Promise<Ending> {
  return new Promise((resolve) => {
    for (const [signal, exitCode] of Object.entries(SIGNALS))
      process.on(signal, () => resolve({ why: signal, exitCode, instance: 'kept' }));
  });
}

/** Resolves with the first error that nobody caught; from now on none ends the process by itself. */
export function endingByUncaughtError(): Promise<Ending> {
  return new Promise((resolve) => {
    process.on('uncaughtException', ({ stack = '' }) => {
      process.stderr.write(`${stack}\n`);
      resolve({ why: 'an error that nobody caught', exitCode: EXIT_FAILED, instance: 'replaced' });
    });
  });
}

/** Resolves when standard input is closed. */
export function endingByParent(): Promise<Ending> {
  return new Promise((resolve) => {
    const why = 'standard input was closed: the parent is gone';
    const end = (): void => resolve({ why, exitCode: 0, instance: 'kept' });
    process.stdin.on('end', end).on('close', end).on('error', end).resume();
  });
}

/** Whose lease is over, nobody needs; who drains may have left work. */
export function endingByItself({ cause, why }: Over): Ending {
  return { why, exitCode: 0, instance: cause === 'lease' ? 'removed' : 'replaced' };
}

/** Writes why the worker cannot start to standard error. Another instance could not either. */
export function endingOfStart(error: unknown): Ending {
  if (error instanceof CommanderError && error.exitCode === 0)
    return { why: 'help was asked for', exitCode: 0, instance: 'kept' };
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  return { why: 'the worker cannot start', exitCode: exitCodeOf(error), instance: 'removed' };
}
