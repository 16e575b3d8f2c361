import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { signal as send } from '../../embedded/process-table.ts';
import { type EndedCommand, type LogLine, startCommand } from '../support/run-command.ts';
import { type Guard, guard } from './guard.ts';
import { type Phase, PHASES } from './faults.ts';
import type { Story } from './story.ts';

/** A command that takes longer is stuck. This exceeds all pauses, restarts and deadlines of the settings together. */
const STUCK_AFTER_MS = 240_000;

export interface GivenCommand {
  readonly number: number;
  readonly pid: number;
  readonly beganMs: number;
  /** Null while it runs. */
  endedMs: number | null;
  /** Whether the harness killed it. */
  killed: boolean;
  outcome: EndedCommand | null;
  /** When it said that it begins to validate, by its own clock; null when it has not said so. */
  validatedFrom: number | null;
}

export interface CommandsOptions {
  readonly folder: string;
  /** The beginning of the names of the files that keep its outputs. */
  readonly name: string;
  readonly args: readonly string[];
  readonly story: Story;
  readonly onPhase: (phase: Phase) => void;
}

/** The commands of one run, given on the real command line. */
export class Commands {
  readonly given: GivenCommand[] = [];
  readonly #options: CommandsOptions;
  readonly #ends = new Map<GivenCommand, Promise<void>>();

  constructor(options: CommandsOptions) {
    this.#options = options;
  }

  get running(): GivenCommand[] {
    return this.given.filter(({ endedMs }) => endedMs === null);
  }

  /** Gives the command once more, beside those that run. */
  give(why: string): void {
    const { folder, name, args, story } = this.#options;
    const number = this.given.length + 1;
    const { child, ended } = startCommand({ args, folder });
    const command: GivenCommand = {
      number,
      pid: child.pid ?? 0,
      beganMs: performance.now(),
      endedMs: null,
      killed: false,
      outcome: null,
      validatedFrom: null,
    };
    this.given.push(command);
    story.add(`command ${number} is given (${why}), process ${command.pid}`);
    child.stdout?.pipe(createWriteStream(join(folder, `${name}-command-${number}.stdout`)));
    child.stderr?.pipe(createWriteStream(join(folder, `${name}-command-${number}.stderr`)));
    if (child.stderr !== null) createInterface(child.stderr).on('line', (line) => this.#hear(command, line));
    this.#ends.set(command, this.#watch(command, ended, guard([command.pid], 'SIGKILL')));
  }

  /** Resolves when any running command has ended. @throws when none ends for a long time */
  async anyEnds(signal: AbortSignal): Promise<void> {
    const ends = this.running.map((command) => this.#ends.get(command));
    const over = new AbortController();
    const late = sleep(STUCK_AFTER_MS, 'stuck' as const, { signal: AbortSignal.any([signal, over.signal]) });
    late.catch(() => undefined);
    try {
      if ((await Promise.race([...ends, late])) === 'stuck')
        throw new Error(`No command has ended for ${STUCK_AFTER_MS / 1000} s: they are stuck.`);
    } finally {
      over.abort();
    }
  }

  kill(pid: number): void {
    const command = this.running.find((candidate) => candidate.pid === pid);
    if (command === undefined) return;
    command.killed = true;
    send(pid, 'SIGKILL');
  }

  /** Kills all commands. */
  async end(): Promise<void> {
    for (const { pid } of this.running) this.kill(pid);
    await Promise.all(this.#ends.values());
  }

  async #watch(
    command: GivenCommand,
    ended: Promise<EndedCommand>,
    orphanGuard: Promise<Guard>,
  ): Promise<void> {
    try {
      command.outcome = await ended;
    } finally {
      command.endedMs = performance.now();
      await (await orphanGuard).dismiss();
    }
    const { code, result } = command.outcome;
    const words = typeof result['error'] === 'string' ? `: ${result['error']}` : '';
    this.#options.story.add(
      code === null
        ? `command ${command.number} was killed`
        : `command ${command.number} exits ${code}${words}`,
    );
  }

  #hear(command: GivenCommand, line: string): void {
    const record = parse(line);
    const phase = PHASES.find((name) => name === record?.['phase']);
    if (record?.msg !== 'phase started' || phase === undefined) return;
    if (phase === 'validate') command.validatedFrom = Date.parse(String(record['time']));
    this.#options.story.add(`command ${command.number} begins ${phase}`);
    this.#options.onPhase(phase);
  }
}

function parse(line: string): LogLine | null {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return null; // This is half a line of a killed command.
  }
}
