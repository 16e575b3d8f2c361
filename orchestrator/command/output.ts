import { writeSync } from 'node:fs';

/** The outputs of a command. When a reader goes away (EPIPE), it only sees no more. The run goes on. */
export interface Output {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

export function outlivePipes(output: Output): void {
  for (const stream of [output.stdout, output.stderr]) stream.on('error', () => {});
}

/** Writes the result like `writeResult`, but at once, for a process that ends now. */
export function writeResultNow(result: Readonly<Record<string, unknown>>): void {
  try {
    writeSync(1, `${JSON.stringify(result)}\n`);
  } catch {
    // Nobody reads the output any more.
  }
}

/**
 * Writes the last line of all output: one JSON object with the result. Resolves when it is written or cannot be
 * written.
 */
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
