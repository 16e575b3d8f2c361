/**
 * What a caller does next about a failure. Each kind of failure has one move, and the exit code comes from it.
 * - `mend-input`: the input is wrong: a command line, settings, a definition. Nothing was changed.
 * - `mend-and-repeat`: a person removes a cause outside; then the same is done again.
 * - `try-again`: it passes by itself, and is tried again later.
 * - `leave`: another process has what was wanted, and keeps it.
 * - `stop`: another process has taken over. Nothing more is done, not even cleaning up.
 * - a signal: the state of the work is recorded. Then the process ends as the signal asks.
 */
export type NextMove = 'mend-input' | 'mend-and-repeat' | 'try-again' | 'leave' | 'stop' | Signal;

export type Signal = 'SIGHUP' | 'SIGINT' | 'SIGTERM';

/**
 * A failure with a sentence for a person: what failed, where, and what to do. Every error of this project is one. Any
 * other error is a fault of the program or of a library.
 */
export abstract class Failure extends Error {
  abstract readonly move: NextMove;

  /** @param message the constructor removes a password in an address from it */
  constructor(message: string, options?: ErrorOptions) {
    super(withoutPasswords(message), options);
  }
}

const EXIT_CODES: Readonly<Record<NextMove, number>> = {
  'mend-and-repeat': 1,
  'try-again': 1,
  'mend-input': 2,
  leave: 3,
  stop: 3,
  // 128 and the signal's number, as in a shell.
  SIGHUP: 129,
  SIGINT: 130,
  SIGTERM: 143,
};

/** The exit code that tells a scheduler the next move. An unforeseen error is a failed run. */
export function exitCodeOf(error: unknown): number {
  return error instanceof Failure ? EXIT_CODES[error.move] : 1;
}

/**
 * The move after an HTTP status. Another try helps after no answer (status 0), where the server is too busy or broken,
 * or where it answered only in part. Otherwise a person must remove the cause.
 */
export function moveAfterStatus(status: number): 'mend-and-repeat' | 'try-again' {
  return status >= 400 && status < 500 && status !== 429 ? 'mend-and-repeat' : 'try-again';
}

/** Removes the secret from `postgres://user:secret@host`. The secret ends at the last `@` before the path. */
function withoutPasswords(message: string): string {
  return message.replaceAll(/\b([a-z][a-z\d+.-]{0,20}:\/\/[^\s/:@]*):[^\s/]+@/gi, '$1:***@');
}
