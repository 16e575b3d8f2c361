import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Usage, usageOf } from './process-usage.ts';

const LAST_WORDS_LINES = 12;

export interface ChildOptions {
  readonly nodeFlags?: readonly string[];
  readonly args?: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
}

/**
 * A process of the benchmark that is spoken to in lines; it ends with this one, for its standard input is closed then.
 * What it writes to its standard error stands in the error that says that it ended.
 */
export class Child {
  readonly #process: ChildProcess;
  readonly #lines: Interface;
  readonly #ended: Promise<never>;
  readonly #lastWords: string[] = [];
  /** The first line that it prints. */
  readonly firstLine: Promise<string>;

  /** @param command the program and its arguments */
  constructor(command: readonly [string, ...string[]], environment: NodeJS.ProcessEnv = {}) {
    const [program, ...args] = command;
    const child = spawn(program, args, {
      env: { ...process.env, ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#process = child;
    this.#lines = createInterface({ input: child.stdout });
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (line.trim() === '' || line.startsWith('Node.js v')) return; // behind an uncaught error
      this.#lastWords.push(line);
      if (this.#lastWords.length > LAST_WORDS_LINES) this.#lastWords.shift();
    });
    child.stdin.on('error', () => {}); // it may end first; its end says so
    this.#ended = this.#untilEnd(program);
    this.#ended.catch(() => {}); // whoever waits for a line hears of it
    this.firstLine = this.#nextLine();
    this.firstLine.catch(() => {});
  }

  /** A script that Node runs. */
  static node(script: URL, { nodeFlags = [], args = [], environment = {} }: ChildOptions): Child {
    const flags = [...nodeFlags, ...extraNodeFlags()];
    return new Child([process.execPath, ...flags, fileURLToPath(script), ...args], environment);
  }

  /** Writes a line and gives the line that comes for it. */
  async ask(line: string): Promise<string> {
    const answer = this.#nextLine();
    this.#process.stdin?.write(`${line}\n`);
    return await answer;
  }

  async usage(): Promise<Usage> {
    return await usageOf(this.#process.pid ?? 0);
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.stdin?.end();
    this.#process.kill('SIGTERM');
    await ended;
  }

  async #nextLine(): Promise<string> {
    const line = once(this.#lines, 'line').then(([text]) => String(text));
    return await Promise.race([line, this.#ended]);
  }

  async #untilEnd(program: string): Promise<never> {
    const [code, signal] = (await once(this.#process, 'close')) as [number | null, string | null];
    const how = `${program} ended with ${signal ?? code}`;
    throw new Error(this.#lastWords.length === 0 ? how : `${how}:\n${this.#lastWords.join('\n')}`);
  }
}

/** For a look into the children: `BENCH_NODE_FLAGS=--cpu-prof`. */
function extraNodeFlags(): string[] {
  return process.env['BENCH_NODE_FLAGS']?.split(' ') ?? [];
}
