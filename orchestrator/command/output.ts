import { writeSync } from 'node:fs';

/**
 * The outputs of a command. A reader that goes away (EPIPE) changes nothing but that it sees no more: the run goes on.
 */
export interface Output {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

export function outlivePipes(output: Output): void {
  for (const stream of [output.stdout, output.stderr]) stream.on('error', () => {});
}

/** As `writeResult`, at once, for a process that ends now. */
export function writeResultNow(result: Readonly<Record<string, unknown>>): void {
  try {
    writeSync(1, `${JSON.stringify(result)}\n`);
  } catch {
    // Nobody reads it any more.
  }
}

/** Writes the last line of all output: one JSON object with the result. Resolves when it is out or cannot be. */
export function writeResult(
  stdout: NodeJS.WriteStream,
  result: Readonly<Record<string, unknown>>,
): Promise<void> {
  return new Promise((resolve) => {
    if (stdout.destroyed || stdout.writableEnded) return resolve();
    stdout.write(`${JSON.stringify(result)}\n`, () => resolve());
    stdout.once('error', () => resolve());
  });
}
