/**
 * Errors of the orchestrator, typed by what its caller does next: the exit code says it to a scheduler,
 * the sentence says it to a person.
 */

/** The run failed; the same command may be given again when what the message names has been mended. Exit 1. */
export class RunFailed extends Error {
  override readonly name: string = 'RunFailed';
}

/** A server could not be reached. What may be tried again is; a person is told only when that does not help. Exit 1. */
export class Unreachable extends RunFailed {}

/** A server refused a call because there were too many: it certainly had no effect, and is to be made again later. Exit 1. */
export class Throttled extends Unreachable {}

/** The command line, the settings or a definition are wrong; found offline, nothing was touched. Exit 2. */
export class UsageFault extends Error {
  override readonly name = 'UsageFault';
}

/** Another run or another process holds the fleet. Exit 3. */
export class FleetHeld extends Error {
  override readonly name = 'FleetHeld';
}

/** This process lost the lock or a journal number to another: it must do nothing more, not even clean up. Exit 3. */
export class Superseded extends Error {
  override readonly name = 'Superseded';
}

/** Ended by a signal after recording where things stand. Exit 128 + the signal's number. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP';
  constructor(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') {
    super(`interrupted by ${signal}; what is settled is recorded, and the same command carries on`);
    this.signal = signal;
  }
}

const SIGNAL_EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

export function exitCodeOf(error: unknown): number {
  if (error instanceof Interrupted) return SIGNAL_EXIT_CODES[error.signal];
  if (error instanceof UsageFault || (error instanceof Error && error.name === 'Faults')) return 2;
  if (error instanceof FleetHeld || error instanceof Superseded) return 3;
  return 1;
}

/** The messages of an error and its causes, without stacks. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return error.message === '' ? error.name : error.message;
}
