import { type Key, keyFrom, type KeyKind } from '../definition/key/key-kind.ts';
import type { TaskRequest } from './contract.ts';

/** A sentence that says why the end of a range cannot move to this key. Null: it can. Pure. */
export function faultOfEnd(
  range: Pick<TaskRequest, 'start_index' | 'end_index'>,
  end: Key,
  kind: KeyKind,
): string | null {
  const { start_index: start, end_index: presentEnd } = range;
  const text = kind.format(end);
  if (presentEnd !== null && kind.compare(end, keyFrom(kind, presentEnd)) > 0) {
    return `An end can only move down. The task now ends before ${presentEnd}, which is below ${text}.`;
  }
  if (kind.compare(end, start === null ? kind.least : keyFrom(kind, start)) <= 0) {
    return `A task keeps at least one key. Its range begins ${start === null ? 'with the smallest key' : `at ${start}`}, so it cannot end before ${text}.`;
  }
  return null;
}
