import type { ClientBase } from 'pg';
import type {
  DescribedDefinition,
  DescribedField,
  IndexDefinition,
  KeyRange,
} from '../../definition/definition.ts';
import { fieldType, OID } from '../../definition/field-types.ts';
import { baseFrom, qualifiedKey, rangeCondition, readableExpression } from '../../definition/sql.ts';
import { read } from './cluster-error.ts';
import type { SearchCluster } from './cluster.ts';
import { Lexeme, lexemesToText, parseLexemes, sameJson } from './exact-json.ts';
import type { TargetNames } from './names.ts';
import { querySource, querySourceRows } from './source-query.ts';

/** Ranges that are looked into, and rows taken from each. */
const SAMPLED_RANGES = 20;
const ROWS_PER_RANGE = 10;

export interface SampleInput {
  readonly cluster: SearchCluster;
  readonly client: ClientBase;
  readonly described: DescribedDefinition;
  readonly names: TargetNames;
  readonly ranges: readonly KeyRange[];
  readonly sampleKeys?: readonly bigint[];
  readonly signal: AbortSignal;
}

/** A field that says something else in the index than in the table. Values are JSON text. */
export interface Difference {
  readonly key: string;
  readonly field: string;
  readonly expected: string;
  readonly found: string;
}

/**
 * Compares rows field by field. What a document should be is made by PostgreSQL itself (`to_json` of each field),
 * another way than the worker's. (`to_json`, which says the same and takes every `json`; `to_jsonb` refuses \u0000.) Numbers are compared by their digits.
 */
export async function compareSamples(
  input: SampleInput,
): Promise<{ keys: readonly bigint[]; differing: readonly Difference[] }> {
  const keys = input.sampleKeys ?? (await chooseKeys(input));
  if (keys.length === 0) return { keys, differing: [] };
  const [documents, dead] = await Promise.all([
    sourcesOf(input, input.names.index, keys),
    sourcesOf(input, input.names.deadLetterIndex, keys),
  ]);
  // A row that is a dead letter may fail here just as it failed to become a document.
  const rows = await expectedRows(
    input,
    keys.filter((key) => !dead.has(String(key))),
  );
  const { definition } = input.described;
  const differing = rows.flatMap(({ key, values }) => {
    const document = documents.get(key);
    return document === undefined
      ? [{ key, field: definition.source.key, expected: key, found: 'no document' }]
      : differencesOf(input.described, key, values, document);
  });
  return { keys, differing };
}

/** A few consecutive rows from random places of random ranges. */
async function chooseKeys({ client, described, ranges }: SampleInput): Promise<bigint[]> {
  const { definition } = described;
  const chosen =
    ranges.length <= SAMPLED_RANGES
      ? ranges
      : Array.from({ length: SAMPLED_RANGES }, () => ranges[Math.floor(Math.random() * ranges.length)]);
  const bounds = await boundsOf(client, described);
  const keys = new Set<bigint>();
  for (const range of chosen) {
    if (range === undefined || bounds === null) continue;
    for (const key of await keysAround(client, definition, range, somewhereIn(range, bounds))) keys.add(key);
  }
  return [...keys];
}

/** The rows from a place on; where the range has too few behind it (a gap), those before it too. */
async function keysAround(
  client: ClientBase,
  definition: IndexDefinition,
  range: KeyRange,
  place: bigint,
): Promise<bigint[]> {
  const key = qualifiedKey(definition);
  const where = definition.source.where ?? 'true';
  const keysOf = async (part: KeyRange, direction: 'ASC' | 'DESC', limit: number): Promise<bigint[]> => {
    const condition = `${rangeCondition(definition, part)} AND (\n${where}\n)`;
    const text = `SELECT ${key}::text AS key\n${baseFrom(definition)}\nWHERE ${condition}\nORDER BY ${key} ${direction} LIMIT ${limit}`;
    return (await querySource<{ key: string }>(client, text)).map((row) => BigInt(row.key));
  };
  const behind = await keysOf({ start: place, end: range.end }, 'ASC', ROWS_PER_RANGE);
  const lacking = ROWS_PER_RANGE - behind.length;
  return lacking === 0
    ? behind
    : [...behind, ...(await keysOf({ start: range.start, end: place }, 'DESC', lacking))];
}

/** Least and greatest key of the table; null when it is empty. */
async function boundsOf(
  client: ClientBase,
  { definition }: DescribedDefinition,
): Promise<{ least: bigint; greatest: bigint } | null> {
  const key = qualifiedKey(definition);
  const baseAlone = { ...definition, source: { ...definition.source, joins: [] } };
  const [row] = await querySource<{ least: string | null; greatest: string | null }>(
    client,
    `SELECT min(${key})::text AS least, max(${key})::text AS greatest ${baseFrom(baseAlone)}`,
  );
  const { least = null, greatest = null } = row ?? {};
  return least === null || greatest === null ? null : { least: BigInt(least), greatest: BigInt(greatest) };
}

/** A key of the range; its open ends are the table's. */
function somewhereIn(
  { start, end }: KeyRange,
  { least, greatest }: { least: bigint; greatest: bigint },
): bigint {
  const from = start ?? least;
  const to = end ?? greatest;
  return to <= from ? from : from + BigInt(Math.floor(Math.random() * Number(to - from)));
}

interface ExpectedRow {
  readonly key: string;
  /** JSON text of each field, in the definition's order; null: SQL null. */
  readonly values: readonly (string | null)[];
}

async function expectedRows(
  { client, described }: SampleInput,
  keys: readonly bigint[],
): Promise<ExpectedRow[]> {
  const { definition, fields } = described;
  const columns = definition.document.map(
    (field, i) =>
      `to_json(${typed(readableExpression(field.sql, fields[i]?.oid ?? 0, definition.source.timeZone), fields[i])})::text`,
  );
  const key = qualifiedKey(definition);
  const where = definition.source.where === null ? '' : ` AND (\n${definition.source.where}\n)`;
  const text = `SELECT ${[`${key}::text`, ...columns].join(',\n')}\n${baseFrom(definition)}\nWHERE ${key} = ANY ($1::int8[])${where}`;
  const rows = await querySourceRows(client, text, [keys.map(String)]);
  return rows.map(([first, ...values]) => ({ key: first ?? '', values }));
}

/** A constant in quotes has no type of its own until it is selected; `to_json` wants one. */
function typed(sql: string, field: DescribedField | undefined): string {
  return field?.oid === OID.text ? `${sql}::text` : sql;
}

async function sourcesOf(
  { cluster, signal }: SampleInput,
  index: string,
  keys: readonly bigint[],
): Promise<Map<string, unknown>> {
  const text = await cluster.callText(
    'POST',
    `/${encodeURIComponent(index)}/_mget`,
    { ids: keys.map(String) },
    { signal },
  );
  const docs = read(parseLexemes(text), 'docs');
  const found = Array.isArray(docs) ? docs.filter((doc) => read(doc, 'found') === true) : [];
  return new Map(found.map((doc) => [String(read(doc, '_id')), read(doc, '_source')]));
}

function differencesOf(
  { definition, fields }: DescribedDefinition,
  key: string,
  values: readonly (string | null)[],
  document: unknown,
): Difference[] {
  const keyField = definition.source.key;
  const expected: [string, unknown, DescribedField | undefined][] = [
    [keyField, new Lexeme(key), undefined],
    // What an ingest pipeline makes of the fields is its own affair.
    ...(definition.pipeline === null ? definition.document : []).map(
      ({ name }, i): [string, unknown, DescribedField | undefined] => [
        name,
        asDocumentSays(values[i] ?? null, fields[i]),
        fields[i],
      ],
    ),
  ];
  return expected.flatMap(([name, value, field]) => {
    const found = read(document, name);
    return same(value, found, field)
      ? []
      : [{ key, field: name, expected: lexemesToText(value), found: lexemesToText(found) }];
  });
}

/** Two texts of one binary float may differ in their last digit and still mean the same number. */
function same(expected: unknown, found: unknown, field: DescribedField | undefined): boolean {
  const isFloat = field !== undefined && fieldType(field.oid).category === 'float';
  if (isFloat && expected instanceof Lexeme && found instanceof Lexeme) {
    const [a, b] = [Number(expected.text), Number(found.text)];
    return field.oid === OID.float4 ? Math.fround(a) === Math.fround(b) : a === b;
  }
  return sameJson(expected, found);
}

/** `to_json`'s value as our documents write it: times with `Z` (those without zone are in UTC), null for what a definition of policy null cannot say. */
function asDocumentSays(text: string | null, field: DescribedField | undefined): unknown {
  const value = text === null ? null : parseLexemes(text);
  const category = field === undefined ? 'json' : fieldType(field.oid).category;
  return convert(value, category);
}

function convert(value: unknown, category: string): unknown {
  if (Array.isArray(value) && category !== 'json') return value.map((part) => convert(part, category));
  if (typeof value !== 'string') return value;
  switch (category) {
    case 'timestamp': {
      const [, time] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)(?:\+00:00)?$/.exec(value) ?? [];
      return time === undefined ? null : `${time}Z`;
    }
    case 'date':
      return /^\d{4}-\d\d-\d\d$/.test(value) ? value : null;
    case 'float':
    case 'numeric':
      return null; // "NaN" and the infinities; numbers are Lexemes.
    default:
      return value;
  }
}
