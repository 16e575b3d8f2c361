import type { ClientBase } from 'pg';
import type { IndexDefinition } from '../../definition/definition.ts';
import { type Key, keyFrom, type KeyKind } from '../../definition/key/key-kind.ts';
import { keyKindOf } from '../../definition/key/kinds.ts';
import { qualifiedKey, quoteIdentifier } from '../../definition/sql.ts';
import { baseOnly, type KeyBounds } from './bounds.ts';

/** How many stretches the keys are divided into. A range is made of some of them. */
const STRETCHES = 2000;
/**
 * Up to this many stretches all are halved, whatever they seem to hold: the rows in their middle may be denser than
 * those at their ends.
 */
const COARSE_STRETCHES = 64;
/** How many rows are read at each end of a stretch to see how dense it is. */
const DENSITY_ROWS = 32;

/** Keys from a first to a last one, both of which exist, and about how many rows they have. */
export interface Stretch {
  readonly first: Key;
  readonly last: Key;
  readonly rows: number;
}

/**
 * Divides the keys into stretches of similar row counts by asking the index, where pages cannot be sampled. A stretch
 * is halved at the middle of its keys and narrowed to keys that exist, so that gaps fall out. Stretches with the most
 * rows are halved first. The distance between the rows at its ends shows how many rows a stretch has.
 */
export async function probeStretches(
  client: ClientBase,
  definition: IndexDefinition,
  { min, max }: KeyBounds,
): Promise<Stretch[]> {
  const kind = keyKindOf(definition);
  const statement = halvingStatement(definition);
  let stretches: Stretch[] = [{ first: min, last: max, rows: Infinity }];
  for (;;) {
    const heavy = heaviest(kind, stretches);
    if (heavy.length === 0) return stretches;
    const middles = heavy.map(({ first, last }) => kind.format(kind.between(first, last, 0.5) ?? last));
    const { rows } = await client.query<HalvedRow>(statement, [
      heavy.map(({ first }) => kind.format(first)),
      middles,
      heavy.map(({ last }) => kind.format(last)),
    ]);
    const light = stretches.filter((stretch) => !heavy.includes(stretch));
    stretches = [...light, ...rows.map((row) => stretchOf(kind, row))];
  }
}

/** The stretches that can be halved and have at least their share of the rows, as many as there is room for. */
function heaviest(kind: KeyKind, stretches: readonly Stretch[]): Stretch[] {
  const share = stretches.reduce((sum, { rows }) => sum + rows, 0) / STRETCHES;
  return stretches
    .filter(({ first, last }) => kind.compare(first, last) < 0)
    .filter(({ rows }) => rows >= share || stretches.length < COARSE_STRETCHES)
    .toSorted((a, b) => b.rows - a.rows)
    .slice(0, STRETCHES - stretches.length);
}

interface HalvedRow {
  readonly first: string;
  readonly last: string;
  /** How many of its first and last rows were read, at most `DENSITY_ROWS`, and how far they reach. */
  readonly rows: number;
  readonly upTo: string;
  readonly downTo: string;
}

function stretchOf(kind: KeyKind, row: HalvedRow): Stretch {
  const [first, last] = [keyFrom(kind, row.first), keyFrom(kind, row.last)];
  const width = kind.distance(first, last);
  const fromFirst = kind.distance(first, keyFrom(kind, row.upTo));
  const fromLast = kind.distance(keyFrom(kind, row.downTo), last);
  if (fromFirst >= width) return { first, last, rows: row.rows };
  const gaps = row.rows - 1;
  return { first, last, rows: 1 + ((gaps * width) / fromFirst + (gaps * width) / fromLast) / 2 };
}

/**
 * Two rows for each stretch. A stretch is given by its first key, its middle (above the first key) and its last key.
 */
function halvingStatement(definition: IndexDefinition): string {
  const key = qualifiedKey(definition);
  const from = baseOnly(definition);
  const { sqlType } = keyKindOf(definition);
  // The table cannot have names like these.
  const [given, half] = ['given stretch', 'half of the stretch'].map(quoteIdentifier);
  const end = (order: 'ASC' | 'DESC'): string =>
    `SELECT ${key} AS key ${from} WHERE ${key} >= ${half}.first AND ${key} <= ${half}.last ORDER BY ${key} ${order} LIMIT ${DENSITY_ROWS}`;
  return `
    SELECT ${half}.first::text AS first, ${half}.last::text AS last,
      beginning.rows, beginning.reach::text AS "upTo", ending.reach::text AS "downTo"
    FROM unnest($1::${sqlType}[], $2::${sqlType}[], $3::${sqlType}[]) AS ${given} (first, middle, last)
    CROSS JOIN LATERAL (
      SELECT ${given}.first, (
        SELECT ${key} ${from} WHERE ${key} < ${given}.middle ORDER BY ${key} DESC LIMIT 1)::${sqlType} AS last
      UNION ALL
      SELECT (SELECT ${key} ${from} WHERE ${key} >= ${given}.middle ORDER BY ${key} LIMIT 1)::${sqlType}, ${given}.last
    ) AS ${half}
    CROSS JOIN LATERAL (SELECT count(*)::int AS rows, max(key) AS reach FROM (${end('ASC')}) AS rows) AS beginning
    CROSS JOIN LATERAL (SELECT min(key) AS reach FROM (${end('DESC')}) AS rows) AS ending`;
}
