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

/** Keys of one statement: of a text of a megabyte at most. */
const PAGE = 50_000;

/** The table in PostgreSQL. Every statement has a client from `use` and a short transaction of its own. */
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
      `the joins of ${definition.name} make ${counted.joined_rows} rows of ${counted.base_rows}: each row of the table must stay one row`,
    );
  }
  return { rows: Number(counted.base_rows), kept: Number(counted.kept_rows) };
}

/** SQLSTATE class 22: a value that an expression cannot take. */
function isDataException(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('22');
}

function uncountable(name: string, error: Error): RunFailed {
  return new RunFailed(
    `the rows of ${name} cannot be counted, for source.where (or a join) fails on one of them: ${error.message}. Such a row is neither in nor out: write the condition so that it fails on none, and begin another run.`,
    { cause: error },
  );
}

/**
 * Page by page, so that no snapshot is held while the index is read. A page comes as one text, which costs a third of as
 * many rows (measured). Joins keep every row, so they are left out where no condition needs them.
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

/** Made by PostgreSQL itself, another way than the worker's. (`to_json` takes every `json`; `to_jsonb` refuses \u0000.) */
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

/** A constant in quotes has no type of its own until it is selected; `to_json` wants one. */
function typed(sql: string, field: DescribedField | undefined): string {
  return field?.oid === OID.text ? `${sql}::text` : sql;
}
