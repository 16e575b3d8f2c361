import { fileURLToPath } from 'node:url';
import { spawn } from '@lydell/node-pty';
import { isDeepStrictEqual } from 'node:util';
import { type Frame, type Row, Screen } from './screen.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** The command of the script `reindex` in package.json. npm's own lines before it are left out. */
const PROGRAM = ['--max-semi-space-size=4', 'orchestrator/main.ts', 'run'];
const PROMPT = '$ npm run reindex\r\n\r\n';
/** How often the screen is looked at. */
const LOOK_EVERY_MS = 500;

/**
 * Runs the first command in a pseudo terminal and keeps what its screen shows. It is a real run on the embedded services.
 *
 * @returns frames in their order, each different from the one before it
 * @throws Error if the run fails, with what its terminal showed
 */
export async function recordRun(): Promise<Frame[]> {
  const screen = new Screen();
  await screen.write(PROMPT);
  const startedMs = performance.now();
  const frames: Frame[] = [];
  const look = (): void => {
    const rows = withoutResult(screen.rows());
    if (!isDeepStrictEqual(rows, frames.at(-1)?.rows))
      frames.push({ atMs: performance.now() - startedMs, rows });
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  const exitCode = await runOn(screen).finally(() => clearInterval(timer));
  look();
  if (exitCode !== 0) throw new Error(`The run ended with exit code ${exitCode}:\n${textOf(screen.rows())}`);
  return frames;
}

/** Runs the program on a screen until it ends. Resolves with its exit code. */
function runOn(screen: Screen): Promise<number> {
  return new Promise((resolve, reject) => {
    const program = spawn(process.execPath, PROGRAM, {
      ...screen.size,
      name: 'xterm-256color',
      cwd: ROOT,
      env: process.env,
    });
    let shown = Promise.resolve();
    program.onData((output) => {
      shown = screen.write(output);
    });
    program.onExit(({ exitCode }) => shown.then(() => resolve(exitCode), reject));
  });
}

/** Without the last line of all output. That line is for programs: one long JSON object. */
function withoutResult(rows: readonly Row[]): Row[] {
  const result = rows.findIndex((row) => row[0]?.text.startsWith('{"') === true);
  return rows.slice(0, result === -1 ? undefined : result);
}

function textOf(rows: readonly Row[]): string {
  return rows.map((row) => row.map(({ text }) => text).join('')).join('\n');
}
