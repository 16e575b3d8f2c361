import type { Client } from 'pg';
import { describeDefinition } from '../../definition/describe.ts';
import type { DescribedDefinition, FieldDefinition, IndexDefinition } from '../../definition/definition.ts';
import type { KeyRange } from '../../definition/key/key-range.ts';
import { SearchCluster } from '../../orchestrator/index/cluster.ts';
import type { IndexOrigin } from '../../orchestrator/index/mapping.ts';
import { passAliases, type TargetNames } from '../../orchestrator/index/names.ts';
import { bulk, uniqueName } from './search-calls.ts';

/** Three ranges over the keys of `createTable`; open at both ends. */
export const RANGES: readonly KeyRange[] = [
  { start: null, end: 10n },
  { start: 10n, end: 20n },
  { start: 20n, end: null },
];

const FIELDS: readonly [name: string, sql: string][] = [
  ['name', 'item.name'],
  ['price', 'item.price'],
  ['weight', 'item.weight'],
  ['seen', 'item.seen'],
  ['made', 'item.made'],
  ['day', 'item.day'],
  ['tags', 'item.tags'],
  ['extra', 'item.extra'],
];

/** Thirty rows, the last filtered by `where`, with a key at each end of bigint. */
export async function createTable(client: Client): Promise<void> {
  await client.query(`CREATE TABLE items (id bigint PRIMARY KEY, name text, price numeric, weight float8, seen timestamptz, made timestamp, day date, tags text[], extra json, hidden boolean NOT NULL DEFAULT false);
    INSERT INTO items SELECT CASE n WHEN 1 THEN -9223372036854775808 WHEN 29 THEN 9223372036854775807 ELSE n END, 'item ' || n, n + 0.12345678901234567890, n / 3.0, '2024-01-01 00:00:00.5+00'::timestamptz + n * interval '1 day', '2024-01-01 12:00:00'::timestamp + n * interval '1 hour', '2024-01-01'::date + n, ARRAY['a', NULL, 'b' || n], '{"n": 1.50, "a": [1e2]}', n = 30 FROM generate_series(1, 30) AS n;
    UPDATE items SET price = 'NaN', weight = 'Infinity', seen = 'infinity', day = '0044-03-15 BC' WHERE id = 5;
    ANALYZE items`);
}

export function itemsDefinition(changes: Partial<IndexDefinition> = {}): IndexDefinition {
  return {
    name: 'items',
    alias: uniqueName('items'),
    source: {
      table: 'items',
      as: 'item',
      key: 'id',
      changedAt: null,
      joins: [],
      where: 'NOT item.hidden',
      unusableChangedAt: 'dead_letter',
      timeZone: 'UTC',
    },
    document: FIELDS.map(([name, sql]): FieldDefinition => ({ name, sql, mapping: null })),
    unrepresentable: 'null',
    maxDocumentBytes: 1_000_000,
    deadLetters: { promoteLimit: 0, stopLimit: 1_000, keepFields: [] },
    index: {
      settings: { number_of_shards: 1 },
      numberOfReplicas: 0,
      refreshInterval: '1s',
      forcemergeSegments: 1,
      health: 'green',
    },
    promote: { shrinkLimit: null },
    pipeline: null,
    retain: 1,
    ...changes,
  };
}

export const describeItems = (client: Client, definition: IndexDefinition): Promise<DescribedDefinition> =>
  describeDefinition(client, definition);

export function identityOf(run: string, fleet = 'test'): IndexOrigin {
  return { fleet, run, runKey: `key-${run}`, definitionDigest: 'a.b', createdAt: '2024-01-01T00:00:00.000Z' };
}

export function connect(url: string): Promise<SearchCluster> {
  return SearchCluster.connect({ url, username: null, password: null, apiKey: null });
}

/** The lines that the worker writes for these rows. They are written here by hand. */
export async function indexItems(
  url: string,
  client: Client,
  names: TargetNames,
  pass: number,
): Promise<void> {
  const iso = (column: string) =>
    `CASE WHEN isfinite(${column}) THEN replace(to_jsonb(${column}) #>> '{}', '+00:00', 'Z') END`;
  await client.query(`SET TimeZone = 'UTC'`);
  const { rows } = await client.query<{ id: string; line: string }>(
    `SELECT id::text, (jsonb_build_object('id', id, 'name', name, 'price', nullif(price, 'NaN'), 'weight', nullif(weight, 'Infinity'), 'seen', ${iso('seen')}, 'made', (to_jsonb(made) #>> '{}') || 'Z', 'day', CASE WHEN id <> 5 THEN day END, 'tags', tags, 'extra', extra))::text AS line FROM items WHERE NOT hidden ORDER BY id`,
  );
  await client.query('RESET TimeZone');
  const lines = rows.flatMap(({ id, line }) => [{ index: { _id: id } }, line]);
  const outcomes = await bulk(url, passAliases(names, pass).writeAlias, lines);
  const refused = outcomes.filter(({ error }) => error !== undefined);
  if (refused.length > 0) throw new Error(`refused: ${JSON.stringify(refused)}`);
}
