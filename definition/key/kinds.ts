import type { IndexDefinition } from '../definition.ts';
import { INTEGER_KEY } from './integer-key.ts';
import type { KeyKind } from './key-kind.ts';

/** Every kind of keys. */
const KINDS: readonly KeyKind[] = [INTEGER_KEY];
const BY_NAME: ReadonlyMap<string, KeyKind> = new Map(KINDS.map((kind) => [kind.name, kind]));

/** The types that a key column may have, of all kinds. */
export const KEY_COLUMN_TYPES: readonly string[] = KINDS.flatMap(({ columnTypes }) => columnTypes);

/** What a key's text is, for all kinds. It ends a sentence that begins with "a key is". */
export const KEY_FORMS = KINDS.map(({ form }) => form).join(', or ');

/** Whether a text is a key of some kind. The definition says which kind is meant. */
export function isKeyText(text: string): boolean {
  return KINDS.some((kind) => kind.parse(text) !== null);
}

/** The type to write for a new key column that is unique by itself. */
export const NEW_KEY_COLUMN = 'bigint GENERATED ALWAYS AS IDENTITY UNIQUE';

/**
 * The kind of a definition's key. A definition names its key column but no type, and offline nobody can look. So it is
 * the integer kind until a plan has compared the column's type with `keyKindOfColumn`, which today accepts no other.
 */
export function keyKindOf(_definition: IndexDefinition): KeyKind {
  return INTEGER_KEY;
}

/** The kind that reads a key column of this type, as `format_type` writes it. Null when none does. */
export function keyKindOfColumn(type: string): KeyKind | null {
  return KINDS.find(({ columnTypes }) => columnTypes.includes(type)) ?? null;
}

/** The kind of this name in a run's plan. Null when this build has none. */
export function keyKindNamed(name: string): KeyKind | null {
  return BY_NAME.get(name) ?? null;
}
