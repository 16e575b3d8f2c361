import { createLogUpdate } from 'log-update';
import pc from 'picocolors';
import type { Progress } from './progress.ts';
import { phaseLine, progressLines } from './render.ts';
import type { Reporter } from './reporter.ts';

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 120;

/** A live display on a terminal. Finished phases stay, and the current one moves. */
export class TerminalReporter implements Reporter {
  readonly #stream: NodeJS.WriteStream;
  readonly #monotonicMs: () => number;
  readonly #live: ReturnType<typeof createLogUpdate>;
  #current: { name: string; startMs: number; progress: Progress | null } | null = null;
  #timer: NodeJS.Timeout | undefined;
  #frame = 0;

  constructor(stream: NodeJS.WriteStream, monotonicMs: () => number) {
    this.#stream = stream;
    this.#monotonicMs = monotonicMs;
    this.#live = createLogUpdate(stream, { showCursor: true });
  }

  phaseStarted(phase: string): void {
    this.#current = { name: phase, startMs: this.#monotonicMs(), progress: null };
    this.#timer ??= setInterval(() => this.#draw(), FRAME_MS).unref();
    this.#draw();
  }

  phaseFinished(phase: string, seconds: number, note: string): void {
    this.#current = null;
    this.#above(phaseLine(pc.green('✔'), phase, seconds, note));
  }

  progress(progress: Progress): void {
    if (this.#current !== null) this.#current.progress = progress;
  }

  note(message: string): void {
    this.#above(`    ${pc.dim(message)}`);
  }

  warning(message: string): void {
    this.#above(`    ${pc.yellow(message)}`);
  }

  failure(message: string): void {
    this.#above(`\n  ${pc.red('✘')} ${message.replaceAll('\n', '\n    ')}`);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#live.clear();
    this.#current = null;
  }

  #above(line: string): void {
    this.#live.clear();
    this.#stream.write(`${line}\n`);
    this.#draw();
  }

  #draw(): void {
    if (this.#current === null) return;
    const { name, startMs, progress } = this.#current;
    const mark = pc.cyan(SPINNER[this.#frame++ % SPINNER.length] ?? '');
    const seconds = (this.#monotonicMs() - startMs) / 1000;
    const head = phaseLine(mark, name, seconds, '');
    const body = progress === null ? [] : progressLines(progress, this.#stream.columns ?? 100);
    this.#live([head, ...body].join('\n'));
  }
}
