import { mayComeFromRow, safeDatabaseWords } from '../definition/database-words.ts';
import { Failure, type NextMove, type Signal } from '../definition/failure.ts';

/**
 * Failures of the orchestrator. The move of each says what its caller does next (see `NextMove`). The exit code says it
 * to a scheduler, and the sentence says it to a person.
 */

/** The run failed. Once the cause that the message names is removed, the same command may be given again. */
export class RunFailed extends Failure {
  override readonly name: string = 'RunFailed';
  override readonly move: NextMove = 'mend-and-repeat';
}

/** A server could not be reached. A person hears of it only when another try does not help. */
export class Unreachable extends RunFailed {
  override readonly move = 'try-again';
}

/** A server refused a call because there were too many. The call certainly had no effect, and is made again later. */
export class Throttled extends Unreachable {}

/** A server was reached, but did not do in time what it was asked for. */
export class Overdue extends RunFailed {
  override readonly move = 'try-again';
}

/** The command line, the settings or a definition are wrong. This was found offline, and nothing was changed. */
export class UsageFault extends Failure {
  override readonly name = 'UsageFault';
  override readonly move = 'mend-input';
}

/** Another run or another process holds the fleet. */
export class FleetHeld extends Failure {
  override readonly name = 'FleetHeld';
  override readonly move = 'leave';
}

/** This process lost the lock or a journal number to another process. It must do nothing more, not even clean up. */
export class Superseded extends Failure {
  override readonly name = 'Superseded';
  override readonly move = 'stop';
}

/** A signal ended the command. The state of the work is recorded. */
export class Interrupted extends Failure {
  override readonly name = 'Interrupted';
  override readonly move: Signal;

  constructor(signal: Signal) {
    super(`interrupted by ${signal}; everything settled is recorded, and the same command carries on`);
    this.move = signal;
  }
}

/** The messages of an error and its causes, without stacks. The database's words hold no values of rows. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  if (mayComeFromRow(error)) return safeDatabaseWords(error);
  return error.message === '' ? error.name : error.message;
}
