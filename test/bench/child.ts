import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';

export interface ChildOptions {
  readonly nodeFlags?: readonly string[];
  readonly args?: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
}

/** A process of the benchmark. It ends with this process, because its standard input is closed then. */
export class Child {
  readonly #process: ChildProcess;
  /** The first line that it printed. */
  readonly firstLine: Promise<string>;

  constructor(script: URL, { nodeFlags = [], args = [], environment = {} }: ChildOptions) {
    const child = spawn(process.execPath, [...nodeFlags, ...extraNodeFlags(), script.pathname, ...args], {
      env: { ...process.env, ...environment },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#process = child;
    this.firstLine = new Promise((resolve, reject) => {
      createInterface({ input: child.stdout }).once('line', resolve);
      child.once('exit', (code) => reject(new Error(`${script.pathname} ended with ${code}.`)));
    });
  }

  /** Its present and its highest memory in bytes, and its processor time in seconds. */
  async usage(): Promise<{ rssBytes: number; peakBytes: number; cpuSeconds: number }> {
    const status = await readFile(`/proc/${this.#process.pid}/status`, 'utf8');
    const stat = await readFile(`/proc/${this.#process.pid}/stat`, 'utf8');
    const kibibytes = (name: string): number =>
      Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
    // Fields 14 and 15, in hundredths of a second (proc(5)); the second field may hold blanks, but ends with a bracket.
    const [userTicks, systemTicks] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 13);
    return {
      rssBytes: kibibytes('VmRSS'),
      peakBytes: kibibytes('VmHWM'),
      cpuSeconds: (Number(userTicks) + Number(systemTicks)) / 100,
    };
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const exit = once(this.#process, 'exit');
    this.#process.stdin?.end();
    this.#process.kill('SIGTERM');
    await exit;
  }
}

/** Flags for a look into the children, such as `BENCH_NODE_FLAGS=--cpu-prof`. */
function extraNodeFlags(): string[] {
  return process.env['BENCH_NODE_FLAGS']?.split(' ') ?? [];
}
