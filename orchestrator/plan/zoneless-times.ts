import type { ClientBase } from 'pg';
import type { DescribedDefinition, FieldDefinition } from '../../definition/definition.ts';
import { fieldType, OID, TIMESTAMP_ARRAY_OID } from '../../definition/field-types.ts';
import { keyKindOf } from '../../definition/key/kinds.ts';
import { writeSqlName } from '../../definition/names.ts';
import { baseFrom, qualifiedKey, whereCondition } from '../../definition/sql.ts';
import { expressionsOf, planOf, relationsOf } from './explain.ts';
import { columnsInJson, type NamedColumn } from './json-arguments.ts';
import type { SampledKey } from './ranges.ts';
import { someKeys } from './some-keys.ts';
import { attempt } from './transaction.ts';

/** What is looked at. */
const MOST = { rows: 200, bytes: 16 * 1024 * 1024 };

/**
 * `time_zone` is the zone of a timestamp without zone that is a field itself. Inside of JSON and of composite values such a
 * timestamp is written without a zone, and the index reads it as UTC. Validation does not see it, for it reads the same.
 *
 * @returns the fields that hold such timestamps below their top, each with what shows it
 */
export async function fieldsWithZonelessTimes(
  client: ClientBase,
  described: DescribedDefinition,
  sample: readonly SampledKey[],
): Promise<ReadonlyMap<string, string>> {
  const { definition, fields } = described;
  if (definition.source.timeZone === 'UTC') return new Map();
  const oids = fields
    .map(({ oid }) => oid)
    .filter((oid) => oid !== OID.timestamp && oid !== TIMESTAMP_ARRAY_OID);
  const zoneless = await zonelessTypes(client, oids);
  const shown = new Map<string, string>();
  for (const [i, { name, sql }] of definition.document.entries()) {
    const oid = fields[i]?.oid ?? 0;
    if (zoneless.has(oid)) shown.set(name, 'its type has such a part');
    else if (fieldType(oid).category === 'json') {
      const columns = await columnsBelow(client, described, sql);
      if (columns.length > 0) shown.set(name, columns.map(columnWords).join(', '));
    }
  }
  const unseen = definition.document.filter(
    ({ name }, i) => !shown.has(name) && fieldType(fields[i]?.oid ?? 0).category === 'json',
  );
  for (const name of await seenInRows(client, described, { fields: unseen, sample }))
    shown.set(name, 'a sampled row shows one');
  return shown;
}

function columnWords({ alias, name }: NamedColumn): string {
  return `${writeSqlName(alias)}.${writeSqlName(name)}`;
}

export function zonelessWords(shownBy: string, timeZone: string): string {
  return `This holds times without zone inside of JSON or of a composite value (${shownBy}). They are written without a zone, so the index reads them as UTC, and time_zone ${timeZone} does not reach them. Write … AT TIME ZONE '${timeZone}' for each, inside of the expression.`;
}

/** The columns of timestamps without zone that an expression puts into JSON, also in joins and views that it reads. */
async function columnsBelow(
  client: ClientBase,
  { definition }: DescribedDefinition,
  sql: string,
): Promise<NamedColumn[]> {
  const plan = await planOf(client, `SELECT (\n${sql}\n) ${baseFrom(definition)}`, 'VERBOSE, ');
  const relations = relationsOf(plan);
  const { rows } = await client.query<{ schema: string; relation: string; name: string; oid: number }>(
    COLUMNS,
    [relations.map(({ schema }) => schema), relations.map(({ name }) => name)],
  );
  const zoneless = await zonelessTypes(
    client,
    rows.map(({ oid }) => oid),
  );
  const columns = relations.flatMap(({ schema, name: relation, alias }) =>
    rows
      .filter((row) => row.schema === schema && row.relation === relation && zoneless.has(row.oid))
      .map(({ name }) => ({ alias, name })),
  );
  const found = expressionsOf(plan).flatMap((expression) =>
    columnsInJson(expression, columns, relations.length === 1),
  );
  return [...new Map(found.map((column) => [columnWords(column), column])).values()];
}

const COLUMNS = `
  SELECT DISTINCT nspname AS schema, relname AS relation, attname AS name, atttypid::int8::float8 AS oid
  FROM unnest($1::text[], $2::text[]) AS given (schema, name)
  JOIN pg_catalog.pg_namespace n ON nspname = given.schema
  JOIN pg_catalog.pg_class c ON relnamespace = n.oid AND relname = given.name
  JOIN pg_catalog.pg_attribute a ON attrelid = c.oid AND attnum > 0 AND NOT attisdropped`;

/** Those of the types that are, or have as a part, a timestamp without zone: composites, arrays, domains, ranges. */
async function zonelessTypes(client: ClientBase, oids: readonly number[]): Promise<ReadonlySet<number>> {
  if (oids.length === 0) return new Set();
  const { rows } = await client.query<{ oid: string }>(ZONELESS_TYPES, [oids]);
  return new Set(rows.map(({ oid }) => Number(oid)));
}

const ZONELESS_TYPES = `
  WITH RECURSIVE part (root, oid) AS (
    SELECT oid, oid FROM unnest($1::oid[]) AS given (oid)
    UNION
    SELECT part.root, below.oid FROM part JOIN pg_catalog.pg_type t ON t.oid = part.oid
    CROSS JOIN LATERAL (
      SELECT typelem AS oid WHERE typelem <> 0
      UNION ALL SELECT typbasetype WHERE typbasetype <> 0
      UNION ALL SELECT rngsubtype FROM pg_catalog.pg_range WHERE rngtypid = t.oid OR rngmultitypid = t.oid
      UNION ALL SELECT atttypid FROM pg_catalog.pg_attribute
        WHERE typrelid <> 0 AND attrelid = typrelid AND attnum > 0 AND NOT attisdropped
    ) AS below
  )
  SELECT DISTINCT root::text AS oid FROM part WHERE oid = 'timestamp'::regtype`;

interface Looked {
  readonly fields: readonly FieldDefinition[];
  readonly sample: readonly SampledKey[];
}

/** Fields in which a row has a text that PostgreSQL writes for a timestamp without zone. */
async function seenInRows(
  client: ClientBase,
  { definition }: DescribedDefinition,
  { fields, sample }: Looked,
): Promise<string[]> {
  if (fields.length === 0 || sample.length === 0) return [];
  const key = qualifiedKey(definition);
  const kind = keyKindOf(definition);
  const some = someKeys(kind, sample, MOST);
  const seen: string[] = [];
  for (const { name, sql } of fields) {
    const { result } = await attempt<{ seen: boolean | null }>(
      client,
      `SELECT bool_or(to_json(looked.value)::text ~ '${ZONELESS_TEXT}') AS seen FROM (
         SELECT (\n${sql}\n) AS value ${baseFrom(definition)}
         WHERE ${key} = ANY ($1::${kind.sqlType}[]) AND ${whereCondition(definition)}
       ) AS looked`,
      [some],
    );
    if (result?.rows[0]?.seen === true) seen.push(name);
  }
  return seen;
}

const ZONELESS_TEXT = String.raw`"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?"`;
