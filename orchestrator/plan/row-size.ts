import type { ClientBase } from 'pg';
import type { IndexDefinition } from '../../definition/definition.ts';
import { OID } from '../../definition/field-types.ts';
import { parseSqlName } from '../../definition/names.ts';
import { quoteIdentifier } from '../../definition/sql.ts';

const BYTEA_OID = 17;
/** Types whose length `octet_length` reads from the value's head, without reading what is stored outside of the row. */
const LENGTH_IS_KNOWN: readonly number[] = [OID.text, OID.varchar, OID.bpchar, BYTEA_OID];

interface Column {
  readonly name: string;
  readonly oid: number;
  /** -1 where it differs from value to value. */
  readonly bytes: number;
}

/**
 * An SQL expression, float8 and never null, for the bytes that are read for a row of the base table. It counts the
 * columns that the definition uses and its reader may see. Texts count at their full length. Other values count as they
 * are stored, which is less where they are compressed. It fetches nothing from outside of the row. Over 100,000 rows of
 * 15 columns (270 MB with what is stored outside) it added 0.1 s to the 0.2 s of reading the keys alone. The size of
 * the whole row, which does fetch, added 0.4 to 0.6 s. A column of a view is computed for it.
 */
export async function rowSize(client: ClientBase, definition: IndexDefinition): Promise<string> {
  const { rows } = await client.query<Column>(COLUMNS, [definition.source.table]);
  const sql = sqlOf(definition);
  const alias = identifierOf(definition.source.as);
  const columns = speaksOfRow(sql, alias) ? rows : rows.filter(({ name }) => speaksOf(sql, name));
  const fixed = columns.filter(({ bytes }) => bytes > 0).reduce((sum, { bytes }) => sum + bytes, 0);
  const varying = columns
    .filter(({ bytes }) => bytes <= 0)
    .map(({ name, oid }) => {
      const column = `${quoteIdentifier(alias)}.${quoteIdentifier(name)}`;
      const length = LENGTH_IS_KNOWN.includes(oid) ? 'octet_length' : 'pg_column_size';
      return `coalesce(${length}(${column}), 0)`;
    });
  return [`${fixed}::float8`, ...varying].join(' + ');
}

/** The columns, without virtual generated ones. Those are computed when they are read, and may fail on some rows. */
const COLUMNS = `
  SELECT attname AS name, attlen::int AS bytes,
    (CASE WHEN typtype = 'd' THEN typbasetype ELSE t.oid END)::int AS oid
  FROM pg_catalog.pg_attribute JOIN pg_catalog.pg_type t ON t.oid = atttypid
  WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attgenerated <> 'v'
    AND has_column_privilege(attrelid, attnum, 'SELECT')
  ORDER BY attnum`;

function sqlOf({ source, document }: IndexDefinition): string {
  return [
    ...document.map((field) => field.sql),
    ...source.joins.flatMap(({ left, on }) => [left, on]),
    source.where ?? '',
    source.changedAt ?? '',
  ].join('\n');
}

/** Whether a name is in the SQL as a word, in any case. It may find more than is meant, but never less. */
function speaksOf(sql: string, name: string): boolean {
  return new RegExp(`${NO_NAME_BEFORE}${written(name)}${NO_NAME_BEHIND}`, 'iu').test(sql);
}

/** Whether the base table's alias stands for the whole row, as in `to_jsonb(book)` or `book.*`. */
function speaksOfRow(sql: string, alias: string): boolean {
  return new RegExp(
    `${NO_NAME_BEFORE}${written(alias)}${NO_NAME_BEHIND}(?!"?\\s*\\.\\s*["\\p{L}_])`,
    'iu',
  ).test(sql);
}

const NO_NAME_BEFORE = '(?<![\\p{L}\\p{N}_$])';
const NO_NAME_BEHIND = '(?![\\p{L}\\p{N}_$])';

function written(name: string): string {
  return RegExp.escape(name.replaceAll('"', '""'));
}

function identifierOf(name: string): string {
  return parseSqlName(name)?.[0] ?? name;
}
