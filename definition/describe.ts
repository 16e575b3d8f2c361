import type { ClientBase } from 'pg';
import type { DescribedDefinition, DescribedField, IndexDefinition } from './definition.ts';
import { fieldType } from './field-types.ts';
import { selectBareExpressions } from './sql.ts';

/**
 * Asks the database for the types of a definition's expressions, in the caller's transaction. It reads no rows. It
 * rejects with the database's own error when an expression is faulty.
 */
export async function describeDefinition(
  client: ClientBase,
  definition: IndexDefinition,
): Promise<DescribedDefinition> {
  const { fields: columns } = await client.query({
    text: selectBareExpressions(definition),
    rowMode: 'array',
  });
  const oids = columns.map((column) => column.dataTypeID);
  const changedAtOid = definition.source.changedAt === null ? null : (oids.shift() ?? null);
  const strings = await jsonStringTypes(client, oids);
  const fields = definition.document.map(({ name }, i): DescribedField => {
    const oid = oids[i] ?? 0;
    return strings.has(oid) ? { name, oid, jsonString: true } : { name, oid };
  });
  return { definition, fields, changedAtOid };
}

/**
 * The types among those through `to_jsonb` that become a JSON string there (enums, inet, interval and the like). These
 * are all except composite types, arrays of composite types, and types with their own cast to json. Source:
 * json_categorize_type in src/backend/utils/adt/jsonfuncs.c of PostgreSQL.
 */
async function jsonStringTypes(client: ClientBase, oids: readonly number[]): Promise<ReadonlySet<number>> {
  const others = oids.filter((oid) => !fieldType(oid).native);
  if (others.length === 0) return new Set();
  const { rows } = await client.query<{ oid: string }>(JSON_STRING_TYPES, [others]);
  return new Set(rows.map((row) => Number(row.oid)));
}

const JSON_STRING_TYPES = `
  SELECT type.oid::text AS oid
  FROM pg_catalog.pg_type AS type
  JOIN pg_catalog.pg_type AS element
    ON element.oid = CASE WHEN type.typcategory = 'A' THEN type.typelem ELSE type.oid END
  WHERE type.oid = ANY ($1::oid[])
    AND element.typtype <> 'c' AND element.typtype <> 'p' AND element.typcategory <> 'A'
    AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_cast
      WHERE castsource = element.oid AND casttarget = 'json'::regtype AND castmethod = 'f')`;
