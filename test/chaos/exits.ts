import type { EndedCommand } from '../support/run-command.ts';
import type { GivenCommand } from './commands.ts';

/** A time in which something happened to database or search node, on the monotonic clock. */
export interface Trouble {
  readonly fromMs: number;
  /** Infinite while it lasts. */
  toMs: number;
}

/** What a round knows about why a command may have ended without success. */
export interface Circumstances {
  readonly commands: readonly Pick<GivenCommand, 'number' | 'beganMs' | 'endedMs'>[];
  readonly troubles: readonly Trouble[];
  readonly tableChanges: boolean;
}

/** What the check reads of an ended command. */
export type EndedGivenCommand = Pick<GivenCommand, 'number' | 'beganMs' | 'endedMs' | 'killed'> & {
  readonly outcome: Pick<EndedCommand, 'code' | 'result'> | null;
};

/** A service that was killed or cut off may trouble a command for so long after its return. */
const AFTERMATH_MS = 30_000;

/** The words of a process that was paused, or starved by a busy machine, for longer than its lease. */
const STOOD_STILL = 'stood still for longer than its lease';

/** Says in a sentence why a command must not have ended as it did; null when it may. */
export function faultOfExit(command: EndedGivenCommand, circumstances: Circumstances): string | null {
  const { code, result } = command.outcome ?? { code: null, result: {} };
  if (code === 0) return null;
  if (code === null)
    return command.killed ? null : `command ${command.number} was killed, and not by this round`;
  const words = String(result['error']);
  const exit = `command ${command.number} exits ${code} (${words})`;
  if (code === 3) {
    const mayBe = words.includes(STOOD_STILL) || hadCompany(command, circumstances);
    return mayBe ? null : `${exit}, and no other command was at work`;
  }
  if (code !== 1) return `${exit}, which nothing in this round explains`;
  if (wasTroubled(command, circumstances)) return null;
  if (circumstances.tableChanges && words.includes('does not hold what')) return null;
  return `${exit}, and nothing had happened to database and search node`;
}

function wasTroubled({ beganMs, endedMs }: EndedGivenCommand, { troubles }: Circumstances): boolean {
  const untilMs = endedMs ?? Number.POSITIVE_INFINITY;
  return troubles.some(({ fromMs, toMs }) => fromMs < untilMs && toMs > beganMs - AFTERMATH_MS);
}

function hadCompany({ number, beganMs, endedMs }: EndedGivenCommand, { commands }: Circumstances): boolean {
  const untilMs = endedMs ?? Number.POSITIVE_INFINITY;
  return commands.some(
    (other) =>
      other.number !== number &&
      other.beganMs < untilMs &&
      (other.endedMs ?? Number.POSITIVE_INFINITY) > beganMs,
  );
}
