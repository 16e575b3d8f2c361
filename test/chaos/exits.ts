import type { GivenCommand } from './commands.ts';

/** What a round knows of why a command may have ended without success. */
export interface Circumstances {
  readonly commands: readonly GivenCommand[];
  /** When something last happened, or ended happening, to database or search node, on the monotonic clock. */
  readonly servicesHitMs: number;
  readonly tableChanges: boolean;
}

/** A service that was killed or cut off may trouble a command for so long after it is there again. */
const AFTERMATH_MS = 30_000;

/** Why a command must not have ended as it did, a sentence; null: it may. */
export function faultOfExit(command: GivenCommand, circumstances: Circumstances): string | null {
  const { code, result } = command.outcome ?? { code: null, result: {} };
  if (code === 0) return null;
  if (code === null)
    return command.killed ? null : `command ${command.number} was killed, and not by this round`;
  const words = String(result['error']);
  const exit = `command ${command.number} exits ${code} (${words})`;
  if (code === 3)
    return hadCompany(command, circumstances) ? null : `${exit}, and no other command was at work`;
  if (code !== 1) return `${exit}, which nothing in this round explains`;
  if (circumstances.servicesHitMs > command.beganMs - AFTERMATH_MS) return null;
  if (circumstances.tableChanges && words.includes('does not hold what')) return null;
  return `${exit}, and nothing had happened to database and search node`;
}

function hadCompany(command: GivenCommand, { commands }: Circumstances): boolean {
  const endedMs = command.endedMs ?? Number.POSITIVE_INFINITY;
  return commands.some(
    (other) =>
      other !== command &&
      other.beganMs < endedMs &&
      (other.endedMs ?? Number.POSITIVE_INFINITY) > command.beganMs,
  );
}
