import { CommanderError } from 'commander';
import { exitCodeOf } from '../definition/failure.ts';
import type { Over } from './start.ts';

/** How the process ends. */
export interface Ending {
  /** As a clause. */
  readonly why: string;
  readonly exitCode: number;
  /**
   * What happens to the instance. `kept`: nothing, because it is already going down, or others end it. `removed`: its group
   * has one instance less. `replaced`: work is left, so its group launches another.
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

/** Resolves with the first error that nobody caught. From now on such an error does not end the process by itself. */
export function endingByUncaughtError(): Promise<Ending> {
  return new Promise((resolve) => {
    process.on('uncaughtException', ({ stack = '' }) => {
      process.stderr.write(`${stack}\n`);
      resolve({
        why: 'the program has an error that nothing caught',
        exitCode: EXIT_FAILED,
        instance: 'replaced',
      });
    });
  });
}

/** Resolves when standard input is closed. */
export function endingByParent(): Promise<Ending> {
  return new Promise((resolve) => {
    const why = 'standard input was closed, so the parent process is gone';
    const end = (): void => resolve({ why, exitCode: 0, instance: 'kept' });
    process.stdin.on('end', end).on('close', end).on('error', end).resume();
  });
}

/** A worker whose lease is over is not needed any more. A worker that drains may leave work. */
export function endingByItself({ cause, why }: Over): Ending {
  return { why, exitCode: 0, instance: cause === 'lease' ? 'removed' : 'replaced' };
}

/** Writes to standard error why the worker cannot start. Another instance could not start either. */
export function endingOfStart(error: unknown): Ending {
  if (error instanceof CommanderError && error.exitCode === 0)
    return { why: 'help was asked for', exitCode: 0, instance: 'kept' };
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  return { why: 'the worker cannot start', exitCode: exitCodeOf(error), instance: 'removed' };
}
