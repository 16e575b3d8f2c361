/**
 * What whoever meets a failure does next. Each kind of failure has one, and the exit code comes from it.
 * - `mend-input`: what was written is wrong: a command line, settings, a definition. Nothing was touched.
 * - `mend-and-repeat`: something outside is to be mended; then the same is done again.
 * - `try-again`: it passes by itself, and is tried again later.
 * - `leave`: another has what was wanted, and keeps it.
 * - `stop`: another has taken over: nothing more is done, not even cleaning up.
 * - a signal: where things stand is recorded; then the process ends as the signal asks.
 */
export type NextMove = 'mend-input' | 'mend-and-repeat' | 'try-again' | 'leave' | 'stop' | Signal;

export type Signal = 'SIGHUP' | 'SIGINT' | 'SIGTERM';

/**
 * A failure with a sentence for a person: what failed, where, and what to do. Every error of this project's own is one;
 * what is none is a fault of the program, or of a library.
 */
export abstract class Failure extends Error {
  abstract readonly move: NextMove;

  /** @param message a password in an address is left out of it */
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
  // 128 and the signal's number, as a shell has it.
  SIGHUP: 129,
  SIGINT: 130,
  SIGTERM: 143,
};

/** The exit code that tells a scheduler the next move. What nobody foresaw is a failed run. */
export function exitCodeOf(error: unknown): number {
  return error instanceof Failure ? EXIT_CODES[error.move] : 1;
}

/**
 * What helps after an answer over HTTP: another try after none (status 0), where the server is too busy or broken, or
 * where it answered only in part; else something is to be mended.
 */
export function moveAfterStatus(status: number): 'mend-and-repeat' | 'try-again' {
  return status >= 400 && status < 500 && status !== 429 ? 'mend-and-repeat' : 'try-again';
}

/** `postgres://user:secret@host` without the secret, which ends at the last `@` before the path. */
function withoutPasswords(message: string): string {
  return message.replaceAll(/\b([a-z][a-z\d+.-]{0,20}:\/\/[^\s/:@]*):[^\s/]+@/gi, '$1:***@');
}
