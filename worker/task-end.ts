import type { TaskRequest } from './contract.ts';

const SMALLEST_KEY = -(2n ** 63n);

/** Why a range cannot end before this key instead of where it ends now, as a sentence; null: it can. Pure. */
export function faultOfEnd(
  range: Pick<TaskRequest, 'start_index' | 'end_index'>,
  end: bigint,
): string | null {
  const { start_index: start, end_index: presentEnd } = range;
  if (presentEnd !== null && end > BigInt(presentEnd)) {
    return `An end is moved down only: the task ends before ${presentEnd} now, which is below ${end}.`;
  }
  if (end <= (start === null ? SMALLEST_KEY : BigInt(start))) {
    return `A task keeps at least one key: its range begins ${start === null ? 'with the smallest key' : `at ${start}`}, not below ${end}.`;
  }
  return null;
}
