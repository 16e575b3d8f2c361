import type { ClientBase } from 'pg';
import { parseSqlName, writeSqlName } from '../../definition/names.ts';
import { didYouMean } from '../../definition/nearest.ts';
import { databaseWords } from './database-words.ts';
import type { Inspection } from './inspection.ts';
import { attempt } from './transaction.ts';

/** The base table in the catalogue. */
export interface BaseTable {
  readonly oid: string;
  readonly name: string;
  readonly kind: 'table' | 'partitioned' | 'materialized view' | 'view';
}

const KINDS: Readonly<Record<string, BaseTable['kind']>> = {
  r: 'table',
  p: 'partitioned',
  m: 'materialized view',
  v: 'view',
};

/** Finds the base table. Null, with a fault that suggests the nearest name, when there is none. */
export async function inspectTable(inspection: Inspection): Promise<BaseTable | null> {
  const { client, definition } = inspection;
  const path = ['source', 'table'];
  const found = await attempt<{ oid: string; name: string; kind: string }>(client, FIND_TABLE, [
    definition.source.table,
  ]);
  if (found.error !== null) {
    inspection.fault(path, databaseWords(found.error));
    return null;
  }
  const [row] = found.result.rows;
  if (row === undefined) {
    const suggestion = didYouMean(definition.source.table, await tableNames(client, definition.source.table));
    inspection.fault(
      path,
      `The database has no such table or view.${suggestion || ' Add the schema if it is needed, such as public.cities.'}`,
    );
    return null;
  }
  const kind = KINDS[row.kind];
  if (kind === undefined) {
    const foreign =
      row.kind === 'f' ? 'a foreign table: read it on its own server' : 'neither a table nor a view';
    inspection.fault(path, `${row.name} is ${foreign}.`);
    return null;
  }
  return { oid: row.oid, name: row.name, kind };
}

const FIND_TABLE = `
  SELECT oid::text AS oid, oid::regclass::text AS name, relkind AS kind
  FROM pg_catalog.pg_class WHERE oid = to_regclass($1)`;

/** Tables and views with the names that this connection can use for them, written as `like` is. */
async function tableNames(client: ClientBase, like: string): Promise<string[]> {
  const { rows } = await client.query<{ schema: string; name: string; visible: boolean }>(TABLE_NAMES);
  const qualified = (parseSqlName(like)?.length ?? 1) > 1;
  return rows.flatMap(({ schema, name, visible }) => {
    const full = `${writeSqlName(schema)}.${writeSqlName(name)}`;
    if (qualified) return [full];
    return visible ? [writeSqlName(name)] : [full];
  });
}

const TABLE_NAMES = `
  SELECT nspname AS schema, relname AS name, pg_table_is_visible(c.oid) AS visible
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace
  WHERE relkind IN ('r', 'p', 'm', 'v', 'f') AND nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  LIMIT 20000`;
