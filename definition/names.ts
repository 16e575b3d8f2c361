import { NEW_KEY_COLUMN } from './key/kinds.ts';

/**
 * Index names have at most 255 bytes. A run adds its id, the companion's name and the pass, and 55 bytes stay free for
 * these. Source of these rules: the Create index API's "Path parameters" (Elasticsearch and OpenSearch say the same).
 */
const MAX_ALIAS_BYTES = 200;

/** What is wrong with a name that indexes will be named after. Null when nothing is. */
export function indexNameFault(name: string): string | null {
  if (name === '') return 'A name is not empty.';
  if (name === '.' || name === '..') return 'A name is not "." or "..".';
  if (name !== name.toLowerCase()) return `Index names are lowercase: write "${name.toLowerCase()}".`;
  const wrong = /[\\/*?"<>|,#:\s\p{Cc}]/u.exec(name)?.[0];
  if (wrong !== undefined)
    return `An index name holds no ${JSON.stringify(wrong)}, no blanks and none of \\ / * ? " < > | , # :`;
  if (/^[-_+]/.test(name)) return 'An index name does not begin with - _ or +.';
  if (Buffer.byteLength(name) > MAX_ALIAS_BYTES) {
    return `This name is longer than ${MAX_ALIAS_BYTES} bytes. The names of its indexes are longer still, and 255 bytes is the limit: write a shorter name.`;
  }
  return null;
}

/** What is wrong with a definition's name, which is also used in addresses and file names. Null when nothing is. */
export function definitionNameFault(name: string): string | null {
  if (/^[a-z0-9][a-z0-9_-]*$/.test(name) && name.length <= MAX_ALIAS_BYTES) return null;
  return `A definition's name is made of lowercase letters, digits, - and _, begins with a letter or digit, and has at most ${MAX_ALIAS_BYTES} characters.`;
}

/** What is wrong with the name of a document's field. Null when nothing is. */
export function fieldNameFault(name: string): string | null {
  if (name.trim() === '') return 'A field has a name that is not blank.';
  if (name.includes('.'))
    return 'A field name holds no dot. For an object write its name alone, with jsonb_build_object(…) as its SQL.';
  if (name.startsWith('_')) return 'Field names that begin with _ belong to the search engine.';
  if (Buffer.byteLength(name) > 255) return 'A field name has at most 255 bytes.';
  return null;
}

/** What is wrong with the name of the key column, which also names a field. Null when nothing is. */
export function keyNameFault(key: string): string | null {
  if (/[,()+|]|::/.test(key)) return COMPOSITE_KEY;
  const bare = /(?:^|\.)"?([^".]+)"?$/.exec(key)?.[1];
  if (bare !== undefined && bare !== key)
    return `Name the column alone, without its table and without quotes: ${bare}.`;
  if (DEAD_LETTER_FIELDS.includes(key))
    return `Dead letters already have a field named ${key}. Rename the key column, or make a view that renames it.`;
  return fieldNameFault(key);
}

/** The fields of a dead letter beside the key. */
const DEAD_LETTER_FIELDS: readonly string[] = ['type', 'reason', 'fields'];

export const COMPOSITE_KEY =
  'The key is one column. Composite keys and expressions are not supported: add a column with ' +
  `ALTER TABLE … ADD COLUMN … ${NEW_KEY_COLUMN}, and name it here.`;

const IDENTIFIER = /^(?:"(?<quoted>(?:[^"]|"")+)"|(?<plain>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*))/;

/**
 * The identifiers of a name as written in SQL, e.g. `public."Weird Table"`. Quotes are removed, and unquoted parts are
 * in lowercase, as PostgreSQL reads them. Null when it is not such a name.
 */
export function parseSqlName(text: string): string[] | null {
  const parts: string[] = [];
  let rest = text;
  for (;;) {
    const match = IDENTIFIER.exec(rest);
    if (match === null) return null;
    parts.push(match.groups?.quoted?.replaceAll('""', '"') ?? match[0].toLowerCase());
    rest = rest.slice(match[0].length);
    if (rest === '') return parts;
    if (!rest.startsWith('.')) return null;
    rest = rest.slice(1);
  }
}

/** Writes an identifier as in SQL: in quotes where it would otherwise mean another one. */
export function writeSqlName(identifier: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(identifier) ? identifier : `"${identifier.replaceAll('"', '""')}"`;
}
