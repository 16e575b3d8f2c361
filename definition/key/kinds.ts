import type { IndexDefinition } from '../definition.ts';
import { INTEGER_KEY } from './integer-key.ts';
import type { KeyKind } from './key-kind.ts';

/** Every kind of keys that there is. */
const KINDS: readonly KeyKind[] = [INTEGER_KEY];
const BY_NAME: ReadonlyMap<string, KeyKind> = new Map(KINDS.map((kind) => [kind.name, kind]));

/** Types that a key column may have, of all kinds. */
export const KEY_COLUMN_TYPES: readonly string[] = KINDS.flatMap(({ columnTypes }) => columnTypes);

/** What the text of a key is, of all kinds; the end of a sentence that begins with "a key is". */
export const KEY_FORMS = KINDS.map(({ form }) => form).join(', or ');

/** Whether a text is a key of some kind. Which kind is meant is known once the definition is. */
export function isKeyText(text: string): boolean {
  return KINDS.some((kind) => kind.parse(text) !== null);
}

/** What to write for the type of a new key column that is unique by itself. */
export const NEW_KEY_COLUMN = 'bigint GENERATED ALWAYS AS IDENTITY UNIQUE';

/**
 * The kind of a definition's key. A definition names its key column and no type, and offline nobody can look: it is the
 * integer kind until a plan has held the column's type against `keyKindOfColumn`, which today takes no other.
 */
export function keyKindOf(_definition: IndexDefinition): KeyKind {
  return INTEGER_KEY;
}

/** The kind that reads a key column of this type, as `format_type` writes it. Null: none does. */
export function keyKindOfColumn(type: string): KeyKind | null {
  return KINDS.find(({ columnTypes }) => columnTypes.includes(type)) ?? null;
}

/** The kind of this name, as a run's plan gives it. Null: this build has none. */
export function keyKindNamed(name: string): KeyKind | null {
  return BY_NAME.get(name) ?? null;
}
