import { type Key, keyFrom, type KeyKind } from './key-kind.ts';

/** A half-open range of keys. An open end of the table is null. */
export interface KeyRange {
  readonly start: Key | null;
  readonly end: Key | null;
}

/** A range as texts, for the wire and the journal. */
export interface KeyRangeText {
  readonly start: string | null;
  readonly end: string | null;
}

/** Whether a key lies in a range. */
export function covers(kind: KeyKind, { start, end }: KeyRange, key: Key): boolean {
  return (start === null || kind.compare(key, start) >= 0) && (end === null || kind.compare(key, end) < 0);
}

/** Whether nothing is left of a range that is read up to and including `through`. */
export function endsAt(kind: KeyKind, { end }: Pick<KeyRange, 'end'>, through: Key): boolean {
  const next = kind.after(through);
  return next === null || (end !== null && kind.compare(next, end) >= 0);
}

/** Reads a range from texts that a schema has checked. Throws when one is not a key. */
export function rangeFrom(kind: KeyKind, { start, end }: KeyRangeText): KeyRange {
  return {
    start: start === null ? null : keyFrom(kind, start),
    end: end === null ? null : keyFrom(kind, end),
  };
}

export function rangeText(kind: KeyKind, { start, end }: KeyRange): KeyRangeText {
  return { start: start === null ? null : kind.format(start), end: end === null ? null : kind.format(end) };
}
