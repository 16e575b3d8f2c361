import type { ClientBase } from 'pg';
import type { IndexDefinition } from '../../definition/definition.ts';
import { qualifiedKey, quoteIdentifier } from '../../definition/sql.ts';
import { baseOnly, type KeyBounds, keyBounds } from './bounds.ts';
import { planOf } from './explain.ts';
import { attempt } from './transaction.ts';

/** Up to this many rows every key is read, so that their number is exact. */
const WHOLE_ROWS = 100_000;
/** Of a larger table, the pages to read (30 MB): keys of one page tend to be neighbours, so it takes many pages. */
const SAMPLE_PAGES = 4000;
/** Keys that are kept of such a sample, and how few are too few to speak for the table. */
const MAX_SAMPLE_KEYS = 50_000;
const MIN_SAMPLE_KEYS = 500;
/** Where there are no pages to sample, the index is asked at this many places. */
const PROBES = 2000n;

export interface TableSample {
  readonly bounds: KeyBounds | null;
  readonly rows: { readonly count: number; readonly exact: boolean };
  readonly keys: readonly bigint[];
}

/**
 * Key bounds, row count and a sample of the keys, in the caller's read-only transaction. The cost hardly grows with
 * the table, but for `exact`, which counts it, however long that takes.
 */
export async function sampleTable(
  client: ClientBase,
  definition: IndexDefinition,
  options: { exact: boolean },
): Promise<TableSample> {
  const bounds = await keyBounds(client, definition);
  if (bounds === null) return { bounds, rows: { count: 0, exact: true }, keys: [] };
  const planned = (await planOf(client, `SELECT 1 ${baseOnly(definition)}`))['Plan Rows'];
  const whole = planned <= 2 * WHOLE_ROWS ? await wholeKeys(client, definition) : null;
  if (whole !== null) return { bounds, rows: { count: whole.length, exact: true }, keys: whole };
  const sample = (await sampledKeys(client, definition)) ?? {
    keys: await probedKeys(client, definition, bounds),
    rows: planned,
  };
  const count = options.exact ? await countRows(client, definition) : null;
  return { bounds, rows: { count: count ?? sample.rows, exact: count !== null }, keys: sample.keys };
}

/** Every key of a small table; null when it has more than that. */
async function wholeKeys(client: ClientBase, definition: IndexDefinition): Promise<bigint[] | null> {
  const key = qualifiedKey(definition);
  const { rows } = await client.query<{ key: string }>(
    `SELECT ${key}::text AS key ${baseOnly(definition)} WHERE ${key} IS NOT NULL ORDER BY ${key} LIMIT ${WHOLE_ROWS + 1}`,
  );
  return rows.length > WHOLE_ROWS ? null : rows.map((row) => BigInt(row.key));
}

/**
 * The rows of random pages. Their number over the share of the pages that was read is a better count than the
 * planner's, which may be of long ago. Null where there are no pages (views), or hardly a row on them.
 */
async function sampledKeys(
  client: ClientBase,
  definition: IndexDefinition,
): Promise<{ keys: bigint[]; rows: number } | null> {
  const share = Math.min(1, SAMPLE_PAGES / Math.max(1, await countPages(client, definition)));
  const statement = `
    SELECT key::text AS key, of FROM (
      SELECT ${qualifiedKey(definition)} AS key, row_number() OVER () AS number, count(*) OVER ()::int AS of
      ${baseOnly(definition)} TABLESAMPLE SYSTEM (${share * 100}) REPEATABLE (1)
    ) AS sample WHERE number % greatest(1, of / ${MAX_SAMPLE_KEYS}) = 0`;
  const { result } = await attempt<{ key: string; of: number }>(client, statement);
  const [first] = result?.rows ?? [];
  if (result === null || first === undefined || first.of < MIN_SAMPLE_KEYS) return null;
  return { keys: result.rows.map((row) => BigInt(row.key)), rows: Math.round(first.of / share) };
}

/** Pages of the table and all of its partitions. */
async function countPages(client: ClientBase, definition: IndexDefinition): Promise<number> {
  const { rows } = await client.query<{ pages: number }>(PAGES, [definition.source.table]);
  return rows[0]?.pages ?? 0;
}

const PAGES = `
  WITH RECURSIVE tree (oid) AS (
    SELECT to_regclass($1)::oid UNION SELECT inhrelid FROM pg_catalog.pg_inherits JOIN tree ON inhparent = tree.oid
  )
  SELECT coalesce(sum(pg_relation_size(oid)) / current_setting('block_size')::int, 0)::float8 AS pages FROM tree`;

/** Keys at or behind places of equal distance, by the index. Each stands for a like part of the table. */
async function probedKeys(
  client: ClientBase,
  definition: IndexDefinition,
  { min, max }: KeyBounds,
): Promise<bigint[]> {
  const key = qualifiedKey(definition);
  const places = Array.from({ length: Number(PROBES) }, (_, i) => min + ((max - min) * BigInt(i)) / PROBES);
  const place = `${quoteIdentifier('place of the probe')}.at`;
  const { rows } = await client.query<{ key: string }>(
    `SELECT DISTINCT probe.key::text AS key FROM unnest($1::int8[]) AS ${quoteIdentifier('place of the probe')} (at)
    CROSS JOIN LATERAL (
      SELECT ${key} AS key ${baseOnly(definition)} WHERE ${key} >= ${place} ORDER BY ${key} LIMIT 1
    ) AS probe`,
    [places.map(String)],
  );
  return rows.map((row) => BigInt(row.key));
}

async function countRows(client: ClientBase, definition: IndexDefinition): Promise<number> {
  await client.query('SET LOCAL statement_timeout = 0');
  const { rows } = await client.query<{ count: string }>(
    `SELECT count(*)::text AS count ${baseOnly(definition)} WHERE ${qualifiedKey(definition)} IS NOT NULL`,
  );
  return Number(rows[0]?.count ?? 0);
}
