import { type DatabaseSaying, mayComeFromRow, safeDatabaseWords } from '../../definition/database-words.ts';
import type { DescribedDefinition, DescribedField, IndexDefinition } from '../../definition/definition.ts';
import { OID } from '../../definition/field-types.ts';
import { type Key, keyFrom } from '../../definition/key/key-kind.ts';
import type { KeyRange } from '../../definition/key/key-range.ts';
import { keyKindOf } from '../../definition/key/kinds.ts';
import {
  baseFrom,
  countStatement,
  qualifiedKey,
  rangeCondition,
  readableExpression,
  whereCondition,
  withoutJoins,
} from '../../definition/sql.ts';
import { RunFailed } from '../errors.ts';
import { aroundBrokenRows, unlessARowFails } from './broken-rows.ts';
import { chooseKeys } from './choose-keys.ts';
import { fractionsStatement } from './findable/cut-fractions.ts';
import { placementStatement } from './placed-rows.ts';
import { querySource, querySourceRows, type UseClient } from './source-query.ts';
import type { ExpectedRow, Placement, ValidationSource } from './validation-source.ts';

/** How many keys one statement reads. Its text has at most about a megabyte. */
const PAGE = 50_000;

/** The table in PostgreSQL. Every statement uses a client from `use` and its own short transaction. */
export function openValidationSource(use: UseClient, described: DescribedDefinition): ValidationSource {
  return {
    count: (range) => count(use, described, range),
    placement: (ranges) => placement(use, described, ranges),
    fractions: (range, fields) => fractions(use, described, { range, fields }),
    keys: (range) => keys(use, described, range),
    sampleKeys: (ranges) => use((client) => chooseKeys(client, described.definition, ranges)),
    expectedRows: (wanted) => expectedRows(use, described, wanted),
  };
}

async function count(
  use: UseClient,
  { definition }: DescribedDefinition,
  range: KeyRange,
): Promise<{ rows: number; kept: number }> {
  const parts = await aroundBrokenRows(
    {
      use,
      definition,
      whole: (part) => countWhole(use, definition, part),
      broken: () => ({ rows: 1, kept: 1 }),
    },
    range,
  ).catch((error: unknown) => {
    throw mayComeFromRow(error) ? uncountable(definition.name, error) : error;
  });
  return {
    rows: parts.reduce((sum, { rows }) => sum + rows, 0),
    kept: parts.reduce((sum, { kept }) => sum + kept, 0),
  };
}

async function countWhole(
  use: UseClient,
  definition: IndexDefinition,
  range: KeyRange,
): Promise<{ rows: number; kept: number }> {
  const text = countStatement(definition, range);
  const [counted] = await use((client) =>
    querySource<{ base_rows: string; joined_rows: string; kept_rows: string }>(client, text),
  );
  if (counted === undefined) throw new Error('a count without a row');
  if (counted.base_rows !== counted.joined_rows) {
    throw new RunFailed(
      `the joins of ${definition.name} turn ${counted.base_rows} rows into ${counted.joined_rows}: write joins that keep each row of the table as one row`,
    );
  }
  return { rows: Number(counted.base_rows), kept: Number(counted.kept_rows) };
}

async function placement(
  use: UseClient,
  { definition }: DescribedDefinition,
  ranges: readonly KeyRange[],
): Promise<Placement> {
  const text = placementStatement(definition, ranges);
  const [counted] = await use((client) => querySource<{ rows: string; placed: string }>(client, text));
  if (counted === undefined) throw new Error('a count without a row');
  return { rows: Number(counted.rows), placed: Number(counted.placed) };
}

interface FractionsQuestion {
  readonly range: KeyRange;
  readonly fields: readonly string[];
}

/** Where more rows fail than may become dead letters, the run has ended before, or ends at its count. */
async function fractions(
  use: UseClient,
  described: DescribedDefinition,
  { range, fields }: FractionsQuestion,
): Promise<readonly number[]> {
  const { definition } = described;
  const whole = async (part: KeyRange): Promise<number[]> => {
    const text = fractionsStatement(described, part, fields);
    const [counted] = await use((client) => querySource<{ rows: string[] }>(client, text));
    return (counted?.rows ?? []).map(Number);
  };
  const none = fields.map(() => 0);
  const reading = aroundBrokenRows({ use, definition, whole, broken: () => none }, range);
  const parts = (await unlessARowFails(reading)) ?? [];
  return none.map((_, i) => parts.reduce((sum, counts) => sum + (counts[i] ?? 0), 0));
}

function uncountable(name: string, error: DatabaseSaying): RunFailed {
  return new RunFailed(
    `the rows of ${name} cannot be counted, because source.where (or a join) fails on more of them than stop_limit allows: ${safeDatabaseWords(error)}. Write a condition that fails on no row, and give the command run with --restart and the same key.`,
  );
}

/**
 * Reads keys page by page, so that no snapshot is held while the index is read. A page comes as one text, which costs a
 * third of as many rows (measured). Joins keep every row, so they are left out unless a condition needs them. A row whose
 * condition fails is among them, as in `count`.
 */
async function* keys(
  use: UseClient,
  { definition }: DescribedDefinition,
  range: KeyRange,
): AsyncGenerator<readonly Key[]> {
  const read = definition.source.where === null ? withoutJoins(definition) : definition;
  const kind = keyKindOf(definition);
  let { start } = range;
  for (;;) {
    const rest = { start, end: range.end };
    const found = await pageOf(use, read, rest).catch((error: unknown) => {
      if (!mayComeFromRow(error)) throw error;
      return null;
    });
    if (found === null) {
      yield* keysAroundBroken(use, read, rest);
      return;
    }
    const last = found.at(-1);
    if (last === undefined) return;
    yield found;
    start = kind.after(last);
    if (found.length < PAGE || start === null) return;
  }
}

async function* keysAroundBroken(
  use: UseClient,
  read: IndexDefinition,
  range: KeyRange,
): AsyncGenerator<readonly Key[]> {
  const whole = async (part: KeyRange): Promise<readonly Key[]> => pageOf(use, read, part, null);
  yield* await aroundBrokenRows({ use, definition: read, whole, broken: (key) => [key] }, range);
}

/** @param rows the most keys; null: all */
async function pageOf(
  use: UseClient,
  read: IndexDefinition,
  range: KeyRange,
  rows: number | null = PAGE,
): Promise<readonly Key[]> {
  const kind = keyKindOf(read);
  const key = qualifiedKey(read);
  const limit = rows === null ? '' : ` LIMIT ${rows}`;
  const page = `SELECT ${key} AS key\n${baseFrom(read)}\nWHERE ${rangeCondition(read, range)} AND ${whereCondition(read)}\nORDER BY ${key}${limit}`;
  const text = `SELECT string_agg(page.key::text, ',' ORDER BY page.key) AS keys FROM (\n${page}\n) AS page`;
  const [row] = await use((client) => querySource<{ keys: string | null }>(client, text));
  return row?.keys?.split(',').map((text) => keyFrom(kind, text)) ?? [];
}

/** Reads rows like `readExpected`. Where an expression fails, it finds the rows for which it does. */
async function expectedRows(
  use: UseClient,
  described: DescribedDefinition,
  wanted: readonly Key[],
): Promise<readonly ExpectedRow[]> {
  try {
    return await readExpected(use, described, wanted);
  } catch (error) {
    if (!mayComeFromRow(error)) throw error;
    const [first, ...others] = wanted;
    if (first === undefined) throw error;
    if (others.length === 0) return [{ key: first, values: null }];
    const half = wanted.length >> 1;
    const lower = await expectedRows(use, described, wanted.slice(0, half));
    return [...lower, ...(await expectedRows(use, described, wanted.slice(half)))];
  }
}

/**
 * Reads rows as PostgreSQL itself writes them, which is not the worker's way. (`to_json` takes every `json`; `to_jsonb`
 * refuses \u0000.)
 */
async function readExpected(
  use: UseClient,
  { definition, fields }: DescribedDefinition,
  wanted: readonly Key[],
): Promise<ExpectedRow[]> {
  const kind = keyKindOf(definition);
  const key = qualifiedKey(definition);
  const columns = definition.document.map(({ sql }, i) => {
    const expression = readableExpression(sql, fields[i]?.oid ?? 0, definition.source.timeZone);
    return `to_json(${typed(expression, fields[i])})::text`;
  });
  const text = `SELECT ${[`${key}::text`, ...columns].join(',\n')}\n${baseFrom(definition)}\nWHERE ${key} = ANY ($1::${kind.sqlType}[]) AND ${whereCondition(definition)}`;
  const rows = await use((client) =>
    querySourceRows(client, text, [wanted.map((wantedKey) => kind.format(wantedKey))]),
  );
  return rows.map(([first, ...values]) => ({ key: keyFrom(kind, first ?? ''), values }));
}

/** Casts a quoted constant. It has no type until it is selected, and `to_json` needs one. */
function typed(sql: string, field: DescribedField | undefined): string {
  return field?.oid === OID.text ? `${sql}::text` : sql;
}
