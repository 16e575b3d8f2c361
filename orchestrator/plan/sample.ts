import type { ClientBase } from 'pg';
import type { IndexDefinition } from '../../definition/definition.ts';
import { keyFrom, type KeyKind } from '../../definition/key/key-kind.ts';
import { keyKindOf } from '../../definition/key/kinds.ts';
import { qualifiedKey, typedKey } from '../../definition/sql.ts';
import { baseOnly, type KeyBounds, keyBounds } from './bounds.ts';
import { planOf } from './explain.ts';
import { probeStretches } from './probe.ts';
import type { SampledKey } from './ranges.ts';
import { rowSize } from './row-size.ts';
import { attempt } from './transaction.ts';

/** Up to this many rows all are read, so that their number is exact. */
const WHOLE_ROWS = 100_000;
/**
 * How many pages are read of a larger table (30 MB). Keys of one page tend to be neighbours, so it takes many pages.
 */
const SAMPLE_PAGES = 4000;
/** The most rows kept of such a sample. The constant below says how many are too few to speak for the table. */
const MAX_SAMPLE_KEYS = 50_000;
const MIN_SAMPLE_KEYS = 500;
/** How many rows of a view are sized. Its columns may cost much to compute. */
const SIZED_VIEW_ROWS = 5000;

export interface TableSample {
  readonly bounds: KeyBounds | null;
  readonly rows: { readonly count: number; readonly exact: boolean };
  /** The bytes that are read for all rows (see `rowSize`). Null when not known. */
  readonly bytes: number | null;
  readonly sample: readonly SampledKey[];
}

/** The base table's rows, or a part that stands for many rows. */
interface Part {
  readonly rows: number;
  readonly exact: boolean;
  readonly sample: readonly SampledKey[];
  /** Whether the sample knows its rows' sizes. */
  readonly sized: boolean;
}

/** A table to sample, in the caller's transaction. */
interface Sampling {
  readonly client: ClientBase;
  readonly definition: IndexDefinition;
  readonly kind: KeyKind;
  /** The SQL for a row's bytes. */
  readonly size: string;
}

/**
 * Reads key bounds, row count and a sample of keys with their rows' sizes, in the caller's read-only transaction. The
 * cost hardly grows with the table. Only `exact` counts it, however long that takes.
 */
export async function sampleTable(
  client: ClientBase,
  definition: IndexDefinition,
  options: { exact: boolean },
): Promise<TableSample> {
  const bounds = await keyBounds(client, definition);
  if (bounds === null) return { bounds, rows: { count: 0, exact: true }, bytes: 0, sample: [] };
  const kind = keyKindOf(definition);
  const sampling = { client, definition, kind, size: await rowSize(client, definition) };
  const part = (await isView(sampling))
    ? await partOfView(sampling, bounds)
    : await partOfTable(sampling, bounds);
  const counted = options.exact && !part.exact ? await countRows(sampling) : null;
  const count = counted ?? part.rows;
  return {
    bounds,
    rows: { count, exact: part.exact || counted !== null },
    bytes: part.sized ? Math.round(count * meanBytes(part.sample)) : null,
    sample: part.sample,
  };
}

async function partOfTable(sampling: Sampling, bounds: KeyBounds): Promise<Part> {
  const whole = await wholeTable(sampling, sampling.size);
  if (whole !== null) return whole;
  const pages = await sampledPages(sampling);
  // Pages with hardly any rows (many are deleted) are no base for a count.
  return pages !== null && pages.sample.length >= MIN_SAMPLE_KEYS ? pages : probedPart(sampling, bounds);
}

/** Samples a view. It has no pages to sample, and only the sizes of a few rows are computed. */
async function partOfView(sampling: Sampling, bounds: KeyBounds): Promise<Part> {
  const whole = await wholeTable(sampling, '0');
  if (whole === null) return probedPart(sampling, bounds);
  return { ...whole, ...(await withSizes(sampling, someOf(sampling.kind, whole.sample))) };
}

/**
 * One key of each step, and the rows of the step that it stands for. Its place in the step varies, so that it does not
 * keep pace with a pattern.
 */
function someOf(kind: KeyKind, sample: readonly SampledKey[]): Omit<SampledKey, 'bytes'>[] {
  const keys = sample.map(({ key }) => key).toSorted((a, b) => kind.compare(a, b));
  const step = Math.max(1, Math.ceil(keys.length / SIZED_VIEW_ROWS));
  const steps = Array.from({ length: Math.ceil(keys.length / step) }, (_, i) => i);
  return steps.flatMap((i) => {
    const rows = Math.min(step, keys.length - i * step);
    const key = keys[i * step + ((i * SCATTER) % rows)];
    return key === undefined ? [] : [{ key, rows }];
  });
}

/** A prime, so that its multiples fall on every place of a step. */
const SCATTER = 7919;

async function probedPart(sampling: Sampling, bounds: KeyBounds): Promise<Part> {
  const stretches = await probeStretches(sampling.client, sampling.definition, bounds);
  const keys = stretches.map(({ first, rows }) => ({ key: first, rows }));
  const rows = Math.round(keys.reduce((sum, key) => sum + key.rows, 0));
  return { rows, exact: false, ...(await withSizes(sampling, keys)) };
}

/** Every row of a small table, in no order, because sorting would sort all of a large one. Null when there are more. */
async function wholeTable({ client, definition, kind }: Sampling, size: string): Promise<Part | null> {
  const planned = (await planOf(client, `SELECT 1 ${baseOnly(definition)}`))['Plan Rows'];
  if (planned > 2 * WHOLE_ROWS) return null;
  const key = qualifiedKey(definition);
  const { rows } = await client.query<Row>(
    `SELECT ${key}::text AS key, ${size} AS bytes ${baseOnly(definition)} WHERE ${key} IS NOT NULL LIMIT ${WHOLE_ROWS + 1}`,
  );
  if (rows.length > WHOLE_ROWS) return null;
  return { rows: rows.length, exact: true, sample: rows.map((row) => sampledKey(kind, row)), sized: true };
}

/**
 * The rows of random pages. Their number divided by the share of pages that was read is a better count than the
 * planner's, which may be old. Null where pages cannot be sampled.
 */
async function sampledPages({ client, definition, kind, size }: Sampling): Promise<Part | null> {
  const share = Math.min(1, SAMPLE_PAGES / Math.max(1, await countPages(client, definition)));
  // Chosen by a hash, because every nth row could keep pace with a pattern in the table.
  const statement = `
    SELECT key::text AS key, bytes, of FROM (
      SELECT ${typedKey(definition)} AS key, ${size} AS bytes, count(*) OVER ()::int AS of
      ${baseOnly(definition)} TABLESAMPLE SYSTEM (${share * 100}) REPEATABLE (1)
    ) AS sample WHERE ${kind.sqlHash}(key) % greatest(1, of / ${MAX_SAMPLE_KEYS}) = 0`;
  const { result } = await attempt<Row & { of: number }>(client, statement);
  if (result === null) return null;
  const rows = Math.round((result.rows[0]?.of ?? 0) / share);
  return { rows, exact: false, sample: result.rows.map((row) => sampledKey(kind, row)), sized: true };
}

/** The keys with the sizes of their rows. If one size cannot be computed (a view's column), all are unknown. */
async function withSizes(
  { client, definition, kind, size }: Sampling,
  keys: readonly Omit<SampledKey, 'bytes'>[],
): Promise<Pick<Part, 'sample' | 'sized'>> {
  const key = qualifiedKey(definition);
  const { result } = await attempt<Row>(
    client,
    `SELECT ${key}::text AS key, ${size} AS bytes ${baseOnly(definition)} WHERE ${key} = ANY ($1::${kind.sqlType}[])`,
    [keys.map(({ key }) => kind.format(key))],
  );
  const sizes = new Map(result?.rows.map(({ key, bytes }) => [key, bytes]));
  const sample = keys.map(({ key, rows }) => ({
    key,
    rows,
    bytes: rows * (sizes.get(kind.format(key)) ?? 0),
  }));
  return { sample, sized: result !== null };
}

interface Row {
  readonly key: string;
  readonly bytes: number;
}

function sampledKey(kind: KeyKind, { key, bytes }: Row): SampledKey {
  return { key: keyFrom(kind, key), rows: 1, bytes };
}

/** The mean bytes of a row. The sample has at least one row. */
function meanBytes(sample: readonly SampledKey[]): number {
  const total = (part: 'rows' | 'bytes'): number => sample.reduce((sum, key) => sum + key[part], 0);
  return total('bytes') / Math.max(1, total('rows'));
}

async function isView({ client, definition }: Sampling): Promise<boolean> {
  const { rows } = await client.query<{ view: boolean }>(
    `SELECT relkind = 'v' AS view FROM pg_catalog.pg_class WHERE oid = to_regclass($1)`,
    [definition.source.table],
  );
  return rows[0]?.view === true;
}

/** The pages of the table and all of its partitions. */
async function countPages(client: ClientBase, definition: IndexDefinition): Promise<number> {
  const { rows } = await client.query<{ pages: number }>(PAGES, [definition.source.table]);
  return rows[0]?.pages ?? 0;
}

const PAGES = `
  WITH RECURSIVE tree (oid) AS (
    SELECT to_regclass($1)::oid UNION SELECT inhrelid FROM pg_catalog.pg_inherits JOIN tree ON inhparent = tree.oid
  )
  SELECT coalesce(sum(pg_relation_size(oid)) / current_setting('block_size')::int, 0)::float8 AS pages FROM tree`;

async function countRows({ client, definition }: Sampling): Promise<number> {
  await client.query('SET LOCAL statement_timeout = 0');
  const { rows } = await client.query<{ count: string }>(
    `SELECT count(*)::text AS count ${baseOnly(definition)} WHERE ${qualifiedKey(definition)} IS NOT NULL`,
  );
  return Number(rows[0]?.count ?? 0);
}
