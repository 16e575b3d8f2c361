import type { DescribedDefinition, DescribedField } from '../../definition/definition.ts';
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
import { chooseKeys } from './choose-keys.ts';
import { querySource, querySourceRows, type UseClient } from './source-query.ts';
import type { ExpectedRow, ValidationSource } from './validation-source.ts';

/** How many keys one statement reads. Its text has at most about a megabyte. */
const PAGE = 50_000;

/** The table in PostgreSQL. Every statement uses a client from `use` and its own short transaction. */
export function openValidationSource(use: UseClient, described: DescribedDefinition): ValidationSource {
  return {
    count: (range) => count(use, described, range),
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
  const text = countStatement(definition, range);
  const [counted] = await use((client) =>
    querySource<{ base_rows: string; joined_rows: string; kept_rows: string }>(client, text),
  ).catch((error: unknown) => {
    throw isDataException(error) ? uncountable(definition.name, error) : error;
  });
  if (counted === undefined) throw new Error('a count without a row');
  if (counted.base_rows !== counted.joined_rows) {
    throw new RunFailed(
      `the joins of ${definition.name} turn ${counted.base_rows} rows into ${counted.joined_rows}: write joins that keep each row of the table as one row`,
    );
  }
  return { rows: Number(counted.base_rows), kept: Number(counted.kept_rows) };
}

/** SQLSTATE class 22: an expression fails on a value. */
function isDataException(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('22');
}

function uncountable(name: string, error: Error): RunFailed {
  return new RunFailed(
    `the rows of ${name} cannot be counted, because source.where (or a join) fails on one of them: ${error.message}. Nobody can say whether the index should have such a row: write a condition that fails on no row, and begin another run.`,
    { cause: error },
  );
}

/**
 * Reads keys page by page, so that no snapshot is held while the index is read. A page comes as one text, which costs a
 * third of as many rows (measured). Joins keep every row, so they are left out unless a condition needs them.
 */
async function* keys(
  use: UseClient,
  { definition }: DescribedDefinition,
  range: KeyRange,
): AsyncGenerator<readonly Key[]> {
  const read = definition.source.where === null ? withoutJoins(definition) : definition;
  const kind = keyKindOf(definition);
  const key = qualifiedKey(read);
  let { start } = range;
  for (;;) {
    const condition = rangeCondition(read, { start, end: range.end });
    const page = `SELECT ${key} AS key\n${baseFrom(read)}\nWHERE ${condition} AND ${whereCondition(read)}\nORDER BY ${key} LIMIT ${PAGE}`;
    const text = `SELECT string_agg(page.key::text, ',' ORDER BY page.key) AS keys FROM (\n${page}\n) AS page`;
    const [row] = await use((client) => querySource<{ keys: string | null }>(client, text));
    const found = row?.keys?.split(',').map((text) => keyFrom(kind, text)) ?? [];
    const last = found.at(-1);
    if (last === undefined) return;
    yield found;
    start = kind.after(last);
    if (found.length < PAGE || start === null) return;
  }
}

/**
 * Reads rows as PostgreSQL itself writes them, which is not the worker's way. (`to_json` takes every `json`; `to_jsonb`
 * refuses \u0000.)
 */
async function expectedRows(
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
