import { setTimeout as sleep } from 'node:timers/promises';
import { signal as send } from '../../embedded/process-table.ts';
import { sql } from '../support/table-documents.ts';
import { workersOf } from '../support/worker-pids.ts';
import type { Commands } from './commands.ts';
import type { Trouble } from './exits.ts';
import type { Fault } from './faults.ts';
import { pause } from './pause.ts';
import type { Service } from './services.ts';
import type { Story } from './story.ts';

export interface VictimsOptions {
  readonly database: Service;
  readonly search: Service;
  readonly commands: Commands;
  readonly definitionFile: string;
  readonly story: Story;
  readonly signal: AbortSignal;
}

type Kill = Extract<Fault, { kind: 'kill' }>;
type Pause = Extract<Fault, { kind: 'pause' }>;
type Cut = Extract<Fault, { kind: 'cut' }>;

/** The victims of faults. A service suffers one fault after the other. */
export class Victims {
  /** When something happened to database or search node. */
  readonly troubles: Trouble[] = [];
  readonly #options: VictimsOptions;
  /** Nobody is paused twice at once, because the end of the first pause would end the second. */
  readonly #paused = new Set<number>();
  #databaseTurn: Promise<unknown> = Promise.resolve();
  #searchTurn: Promise<unknown> = Promise.resolve();

  constructor(options: VictimsOptions) {
    this.#options = options;
  }

  /** Carries out a fault. Gives false when there was no victim. */
  suffer(fault: Fault): Promise<boolean> {
    const act = (): Promise<boolean> => this.#act(fault);
    switch (fault.victim) {
      case 'worker':
      case 'orchestrator':
        return act();
      case 'search': {
        const turn = this.#searchTurn.then(() => this.#noting(act));
        this.#searchTurn = turn.catch(() => undefined);
        return turn;
      }
      case 'database':
      case 'backend': {
        const turn = this.#databaseTurn.then(() => this.#noting(act));
        this.#databaseTurn = turn.catch(() => undefined);
        return turn;
      }
      default:
        return fault satisfies never;
    }
  }

  /** Resolves when no fault is under way at the services and both are up. */
  async servicesBack(): Promise<void> {
    await Promise.all([this.#databaseTurn, this.#searchTurn]);
  }

  async #noting(act: () => Promise<boolean>): Promise<boolean> {
    this.#options.signal.throwIfAborted();
    const trouble: Trouble = { fromMs: performance.now(), toMs: Number.POSITIVE_INFINITY };
    this.troubles.push(trouble);
    try {
      return await act();
    } finally {
      trouble.toMs = performance.now();
    }
  }

  #act(fault: Fault): Promise<boolean> {
    switch (fault.kind) {
      case 'kill':
        return this.#kill(fault);
      case 'pause':
        return this.#pause(fault);
      case 'cut':
        return this.#cut(fault);
      default:
        return fault satisfies never;
    }
  }

  async #kill(fault: Kill): Promise<boolean> {
    const { story, commands } = this.#options;
    if (fault.victim === 'database' || fault.victim === 'search') {
      story.add(`${fault.victim} is killed, and is started again after ${fault.backAfterMs} ms`);
      await this.#options[fault.victim].killAndRestart(fault.backAfterMs);
      story.add(`${fault.victim} is there again`);
      return true;
    }
    const [pid] = await this.#pidsOf(fault);
    if (pid === undefined) return false;
    story.add(`${fault.victim} ${pid} is killed`);
    if (fault.victim === 'orchestrator') commands.kill(pid);
    else send(pid, 'SIGKILL');
    return true;
  }

  async #pause(fault: Pause): Promise<boolean> {
    const { story, commands, signal } = this.#options;
    const pids = await this.#pidsOf(fault);
    if (pids.length === 0) return false;
    story.add(`${fault.victim} ${pids[0]} is paused for ${fault.forMs} ms`);
    for (const pid of pids) this.#paused.add(pid);
    const paused = pause(pids, fault.forMs, signal);
    const { takeOverAfterMs } = fault;
    if (fault.victim === 'orchestrator' && takeOverAfterMs !== null && takeOverAfterMs < fault.forMs) {
      await sleep(takeOverAfterMs, undefined, { signal });
      commands.give('while another is paused');
    }
    await paused;
    for (const pid of pids) this.#paused.delete(pid);
    story.add(`${fault.victim} ${pids[0]} goes on`);
    return true;
  }

  async #cut({ victim, how, which, forMs }: Cut): Promise<boolean> {
    const { story, signal } = this.#options;
    const { proxy } = this.#options[victim];
    const wait = (): Promise<void> => sleep(forMs, undefined, { signal }).catch(() => undefined);
    switch (how) {
      case 'connections':
        story.add(`all connections to the ${victim} are cut`);
        proxy.cut();
        return true;
      case 'refuse':
        story.add(`connections to the ${victim} are cut and refused for ${forMs} ms`);
        proxy.refusing = true;
        proxy.cut();
        await wait();
        proxy.refusing = false;
        break;
      case 'hold':
        story.add(`no byte to or from the ${victim} passes for ${forMs} ms`);
        proxy.hold();
        await wait();
        proxy.release();
        break;
      case 'answers':
        story.add(`${which} answers of the ${victim} are cut in their middle`);
        proxy.answersToCut = which;
        await wait();
        proxy.answersToCut = 0;
        break;
      default:
        return how satisfies never;
    }
    story.add(`the ${victim} can be reached again`);
    return true;
  }

  /** All processes of a service, or one process of the others. */
  async #pidsOf({ victim, which }: Kill | Pause): Promise<number[]> {
    const { commands, definitionFile, database } = this.#options;
    const oneOf = (pids: readonly number[]): number[] => {
      const awake = pids.filter((pid) => !this.#paused.has(pid));
      const pid = awake[which % awake.length];
      return pid === undefined ? [] : [pid];
    };
    switch (victim) {
      case 'database':
      case 'search':
        return this.#options[victim].pids();
      case 'orchestrator':
        return oneOf(commands.running.map(({ pid }) => pid));
      case 'worker':
        return oneOf(await workersOf(definitionFile));
      case 'backend':
        return oneOf(await backendsOf(database.url));
      default:
        return victim satisfies never;
    }
  }
}

/** The processes of PostgreSQL that serve a run or its workers now. */
async function backendsOf(databaseUrl: string): Promise<number[]> {
  const rows = await sql<{ pid: number }>(
    databaseUrl,
    `SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'reindex-fleet%' ORDER BY pid`,
  );
  return rows.map(({ pid }) => pid);
}
