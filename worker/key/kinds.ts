import type { KeyKind } from '../../definition/key/key-kind.ts';
import { INTEGER_KEY_BYTES } from './integer-bytes.ts';
import type { KeyBytes } from './key-bytes.ts';

/** The bytes of every kind of keys that there is. */
const KINDS: readonly KeyBytes[] = [INTEGER_KEY_BYTES];

/** @throws Error when a kind was added to `definition/key` only. */
export function keyBytesOf(kind: KeyKind): KeyBytes {
  const found = KINDS.find((bytes) => bytes.kind === kind);
  if (found === undefined)
    throw new Error(`The worker cannot read ${kind.name} keys. Add the kind to worker/key/kinds.ts.`);
  return found;
}
