import { type Key, keyFrom, type KeyKind } from '../definition/key/key-kind.ts';
import type { TaskRequest } from './contract.ts';

/** Why a range cannot end before this key instead of where it ends now, as a sentence; null: it can. Pure. */
export function faultOfEnd(
  range: Pick<TaskRequest, 'start_index' | 'end_index'>,
  end: Key,
  kind: KeyKind,
): string | null {
  const { start_index: start, end_index: presentEnd } = range;
  const text = kind.format(end);
  if (presentEnd !== null && kind.compare(end, keyFrom(kind, presentEnd)) > 0) {
    return `An end is moved down only: the task ends before ${presentEnd} now, which is below ${text}.`;
  }
  if (kind.compare(end, start === null ? kind.least : keyFrom(kind, start)) <= 0) {
    return `A task keeps at least one key: its range begins ${start === null ? 'with the smallest key' : `at ${start}`}, not below ${text}.`;
  }
  return null;
}
