import { readOutcomes, type Sent } from './outcomes.ts';

/**
 * Nearly every response says the same of each item: stored. Parsing it would make some ten thousand objects only to
 * throw them away, so this reads the first item as JSON and then holds the bytes of each other one against it.
 */

const ITEMS = Buffer.from('"items":[');
const BETWEEN_ITEMS = Buffer.from('}},{');
const ID = '"_id":"';
const COMMA = 0x2c;

/**
 * Whether the response says of exactly the items that were sent, in order, that all were stored in the same way.
 * False says nothing: then it is to be parsed.
 */
export function allStoredAlike(response: Buffer, sent: Sent): boolean {
  const found = response.indexOf(ITEMS);
  if (found < 0 || sent.count < 2) return false;
  const start = found + ITEMS.length;
  const between = response.indexOf(BETWEEN_ITEMS, start);
  if (between < 0) return false;
  const item = response.toString('latin1', start, between + 2);
  const idStart = item.indexOf(ID) + ID.length;
  if (item.indexOf(ID, idStart) >= 0 || !isStored(item, sent)) return false;
  const idEnd = sent.keys.endOfId(response, start + idStart, sent.first);
  if (idEnd < 0) return false;
  const prefix = response.subarray(start, start + idStart);
  const suffix = response.subarray(idEnd, between + 2);
  return repeats({ response, start, prefix, suffix }, sent);
}

/** Believed by the same rules as any response. */
function isStored(item: string, sent: Sent): boolean {
  try {
    return readOutcomes({ items: [JSON.parse(item)] }, { ...sent, count: 1 }).indexed === 1;
  } catch {
    return false;
  }
}

interface Items {
  readonly response: Buffer;
  /** Where the first item begins. */
  readonly start: number;
  /** Of each item what stands before its id. */
  readonly prefix: Buffer;
  /** And what stands behind it. */
  readonly suffix: Buffer;
}

function repeats({ response, start, prefix, suffix }: Items, sent: Sent): boolean {
  const { keys, first, count } = sent;
  let at = start;
  for (let i = 0; i < count; i++) {
    if (i > 0 && response[at++] !== COMMA) return false;
    if (!holds(response, at, prefix)) return false;
    at = keys.endOfId(response, at + prefix.length, first + i);
    if (at < 0 || !holds(response, at, suffix)) return false;
    at += suffix.length;
  }
  return response.toString('latin1', at).trimEnd() === ']}';
}

function holds(response: Buffer, at: number, expected: Buffer): boolean {
  for (let i = 0; i < expected.length; i++) if (response[at + i] !== expected[i]) return false;
  return true;
}
