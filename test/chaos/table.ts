import { type Documents, documentsInTable, sql } from '../support/table-documents.ts';
import type { ChangesPlan, TablePlan } from './faults.ts';

export const ALIAS = 'things';
/** The limit in the definition. Rows of the kind `large` exceed it. */
const MAX_DOCUMENT_BYTES = 64 * 1024;
/** A worker sleeps once for so many rows. */
const PACE_ROWS = 20;

const FIELDS = ['name', 'note', 'price', 'big', 'ratio', 'tags', 'details'];

/** The definition of an index over `things`, written as JSON, which is also YAML. */
export function definitionOf({ paceMs, largeRows, faultyRows }: TablePlan): object {
  return {
    alias: ALIAS,
    source: { table: 'things', key: 'id', where: 'NOT things.hidden' },
    document: {
      ...Object.fromEntries(FIELDS.map((field) => [field, `things.${field}`])),
      note: { sql: 'things.note', mapping: { type: 'keyword', index: false, doc_values: false } },
      details: { sql: 'things.details', mapping: { type: 'object', enabled: false } },
      made: 'things.made',
      quotient: '12 / things.divisor',
      paced: `pace(things.id, ${paceMs * PACE_ROWS})`,
    },
    max_document_bytes: MAX_DOCUMENT_BYTES,
    dead_letters: { promote_limit: largeRows + faultyRows },
    index: { number_of_replicas: 0 },
  };
}

/**
 * The table with its rows. Key and seed decide every value, so a row that is deleted and comes back is the same.
 * `pace` slows workers down and nobody else.
 */
export async function createTable(databaseUrl: string, seed: number, plan: TablePlan): Promise<void> {
  await sql(
    databaseUrl,
    `CREATE FUNCTION dice(key bigint, salt bigint, sides int) RETURNS int IMMUTABLE LANGUAGE sql AS
       $$ SELECT ((hashint8extended(key, salt) & 9223372036854775807) % sides)::int $$;
     CREATE FUNCTION pace(key bigint, ms int) RETURNS boolean LANGUAGE plpgsql AS $$
       BEGIN
         IF key % ${PACE_ROWS} = 0 AND current_setting('application_name') = 'reindex-fleet worker' THEN
           PERFORM pg_sleep(ms / 1000.0);
         END IF;
         RETURN true;
       END $$;
     CREATE TABLE things (
       id bigint PRIMARY KEY, kind text NOT NULL, hidden boolean NOT NULL, name text NOT NULL, note text, price numeric,
       big bigint NOT NULL, ratio float8, tags text[], details jsonb, made timestamptz NOT NULL, divisor int NOT NULL);
     CREATE FUNCTION thing(id bigint, kind text) RETURNS things STABLE LANGUAGE sql AS $$ ${rowOf(seed, plan)} $$;
     INSERT INTO things SELECT (thing(key, kind)).* FROM (${keysOf(seed, plan)}) AS planned (key, kind);
     ANALYZE things;
     CHECKPOINT`,
  );
}

/** Makes runs of neighbouring keys with gaps between them. */
function keysOf(seed: number, { rows, firstKey, largeRows, faultyRows }: TablePlan): string {
  const places = (count: number, shift: number): string =>
    Array.from({ length: count }, (_, i) => Math.floor(((i + shift) * rows) / (count + 1))).join(', ') || '0';
  return `
    SELECT ${firstKey} + sum(CASE WHEN dice(n, ${seed}, 5) = 0 THEN 2 + dice(n, ${seed} + 1, 900) ELSE 1 END) OVER (ORDER BY n),
      CASE WHEN n IN (${places(largeRows, 0.4)}) THEN 'large' WHEN n IN (${places(faultyRows, 0.8)}) THEN 'faulty' ELSE 'plain' END
    FROM generate_series(1::bigint, ${rows}) n`;
}

/** Most rows have some hundred bytes, and some have many thousands. */
function rowOf(seed: number, { nullPercent, hiddenPercent }: TablePlan): string {
  const dice = (salt: number, sides: number): string => `dice(id, ${seed} + ${salt}, ${sides})`;
  const orNull = (salt: number, value: string): string =>
    `CASE WHEN ${dice(salt, 100)} >= ${nullPercent} THEN ${value} END`;
  const noteLength = `CASE WHEN kind = 'large' THEN 2100 WHEN ${dice(2, 100)} < 2 THEN 1500 WHEN ${dice(2, 100)} < 20 THEN 60 ELSE ${dice(3, 5)} END`;
  return `
    SELECT id, kind, kind = 'plain' AND ${dice(4, 100)} < ${hiddenPercent}, 'thing "' || id || '" ü',
      CASE WHEN kind = 'large' OR ${dice(5, 100)} >= ${nullPercent} THEN repeat(md5(id::text), ${noteLength}) END,
      ${orNull(6, `${dice(7, 1_000_000_000)}::numeric / 10000`)}, hashint8extended(id, ${seed}),
      ${orNull(8, `${dice(9, 1_000_000)}::float8 / 64`)},
      ${orNull(10, `ARRAY['a', NULL, 'b' || id]`)}, ${orNull(11, `jsonb_build_object('n', id, 'none', NULL)`)},
      timestamptz '2020-01-01 00:00:00.000001+00' + ${dice(12, 100_000_000)} * interval '1 second',
      CASE WHEN kind = 'faulty' THEN 0 ELSE 1 + ${dice(13, 6)} END`;
}

/** Inserts rows below, between and above, or deletes some. Gives the keys that changed. */
export async function changeTable(
  databaseUrl: string,
  what: Exclude<ChangesPlan['what'], 'both'>,
  salt: number,
): Promise<string[]> {
  const rows = await sql<{ id: string }>(databaseUrl, what === 'inserts' ? insertion(salt) : deletion(salt));
  return rows.map(({ id }) => id);
}

function insertion(salt: number): string {
  return `
    INSERT INTO things SELECT (thing(key, 'plain')).* FROM (
      SELECT min(id) - 3 FROM things UNION ALL SELECT max(id) + 3 FROM things UNION ALL
      (SELECT id + 1 FROM things AS one WHERE dice(id, ${salt}, 50) = 0
         AND NOT EXISTS (SELECT FROM things AS next WHERE next.id = one.id + 1) LIMIT 5)
    ) AS new (key) ON CONFLICT DO NOTHING RETURNING id::text`;
}

function deletion(salt: number): string {
  return `DELETE FROM things WHERE kind = 'plain' AND dice(id, ${salt}, 2000) = 0 RETURNING id::text`;
}

/** What the table holds, as the table itself says. */
export interface TableContent {
  readonly rows: number;
  readonly hidden: number;
  /** By key. */
  readonly documents: Documents;
  /** Key to the type of the dead letter that this row must be. */
  readonly deadLetters: Readonly<Record<string, string>>;
}

export async function contentOf(databaseUrl: string): Promise<TableContent> {
  const [counts] = await sql<{ rows: string; hidden: string }>(
    databaseUrl,
    'SELECT count(*) AS rows, count(*) FILTER (WHERE hidden) AS hidden FROM things',
  );
  const dead = await sql<{ id: string; kind: string }>(
    databaseUrl,
    `SELECT id::text, kind FROM things WHERE NOT hidden AND kind <> 'plain'`,
  );
  const fields = FIELDS.map((field) => `'${field}', to_jsonb(${field})`).join(', ');
  const documents = await documentsInTable(
    databaseUrl,
    `SET timezone TO 'UTC';
     SELECT id::text, json_build_object('id', id, ${fields}, 'made', replace(to_jsonb(made) #>> '{}', '+00:00', 'Z'),
       'quotient', 12 / divisor, 'paced', true)::text AS document
     FROM things WHERE NOT hidden AND kind = 'plain'`,
  );
  return {
    rows: Number(counts?.rows),
    hidden: Number(counts?.hidden),
    documents,
    deadLetters: Object.fromEntries(
      dead.map(({ id, kind }) => [id, kind === 'large' ? 'document_too_large' : '22012']),
    ),
  };
}
