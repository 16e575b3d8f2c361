import type { DescribedDefinition, DescribedField } from '../../definition/definition.ts';
import { fieldType, OID } from '../../definition/field-types.ts';
import type { Key } from '../../definition/key/key-kind.ts';
import type { KeyRange } from '../../definition/key/key-range.ts';
import { keyKindOf } from '../../definition/key/kinds.ts';
import { read } from './cluster-error.ts';
import { type AskedCopies, askedOf } from './copies.ts';
import { Lexeme, lexemesToText, parseLexemes, sameJson } from './exact-json.ts';
import { unfoundValues } from './findable/unfound-values.ts';
import type { TargetNames } from './names.ts';
import { type SearchCalls, segment } from './search-calls.ts';
import type { ValidationSource } from './validation-source.ts';
import { requireEach } from './whole-answer.ts';

export interface SampleInput {
  readonly cluster: SearchCalls;
  readonly source: ValidationSource;
  readonly described: DescribedDefinition;
  readonly names: TargetNames;
  readonly ranges: readonly KeyRange[];
  readonly copies: AskedCopies;
  readonly sampleKeys?: readonly Key[];
  readonly signal: AbortSignal;
}

/** A field that differs between index and table. Values are JSON text. */
export interface Difference {
  readonly key: Key;
  readonly field: string;
  readonly expected: string;
  readonly found: string;
}

/**
 * Compares rows field by field, and the key in a document with its `_id`. Numbers are compared by their digits. Documents
 * that agree are then searched by their values, because `_source` shows values that the index may lack.
 */
export async function compareSamples(
  input: SampleInput,
): Promise<{ keys: readonly Key[]; differing: readonly Difference[] }> {
  const { source, names, described } = input;
  const { definition } = described;
  const keys = input.sampleKeys ?? (await source.sampleKeys(input.ranges));
  if (keys.length === 0) return { keys, differing: [] };
  const [documents, dead] = await Promise.all([
    sourcesOf(input, names.index, keys),
    sourcesOf(input, names.deadLetterIndex, keys),
  ]);
  // A row that is a dead letter may fail here too.
  const rows = await source.expectedRows(keys.filter((key) => !dead.has(key)));
  const differing = rows.flatMap(({ key, values }) => {
    const document = documents.get(key);
    if (values === null) return document === undefined ? [] : [brokenSample(definition.source.key, key)];
    return document === undefined
      ? [
          {
            key,
            field: definition.source.key,
            expected: keyKindOf(definition).json(key),
            found: 'no document',
          },
        ]
      : differencesOf(described, key, values, document);
  });
  const off = new Set(differing.map(({ key }) => key));
  const alike = new Map(
    rows.flatMap(({ key }) => (off.has(key) ? [] : [[key, documents.get(key)] as const])),
  );
  return { keys, differing: [...differing, ...(await unfoundIn(input, alike))] };
}

async function unfoundIn(
  { cluster, described, names, copies, signal }: SampleInput,
  documents: ReadonlyMap<Key, unknown>,
): Promise<Difference[]> {
  const unfound = await unfoundValues({ cluster, described, index: names.index, copies, documents, signal });
  return unfound.map(({ key, path, type, value }) => ({
    key,
    field: path,
    expected: lexemesToText(value),
    found: `does not find the document by this value in a field of type ${type}, though _source shows it`,
  }));
}

/** A row whose expressions fail now, though the index has a document of it: it changed, and is to be read again. */
function brokenSample(field: string, key: Key): Difference {
  return { key, field, expected: 'a row whose expressions fail', found: 'a document' };
}

async function sourcesOf(
  { cluster, described, copies, signal }: SampleInput,
  index: string,
  keys: readonly Key[],
): Promise<Map<Key, unknown>> {
  const kind = keyKindOf(described.definition);
  const byId = new Map(keys.map((key) => [kind.documentId(key), key]));
  const text = await cluster.callText(
    'POST',
    askedOf(copies, `/${segment(index)}/_mget`),
    { ids: [...byId.keys()] },
    { signal },
  );
  const docs = requireEach(read(parseLexemes(text), 'docs'), `reading samples of ${index}`);
  return new Map(
    docs.flatMap((doc): [Key, unknown][] => {
      const key = byId.get(String(read(doc, '_id')));
      return key === undefined || read(doc, 'found') !== true ? [] : [[key, read(doc, '_source')]];
    }),
  );
}

function differencesOf(
  { definition, fields }: DescribedDefinition,
  key: Key,
  values: readonly (string | null)[],
  document: unknown,
): Difference[] {
  const keyField = definition.source.key;
  const expected: [string, unknown, DescribedField | undefined][] = [
    [keyField, parseLexemes(keyKindOf(definition).json(key)), undefined],
    // An ingest pipeline may change the fields as it likes.
    ...(definition.pipeline === null ? definition.document : []).flatMap(
      ({ name, compare }, i): [string, unknown, DescribedField | undefined][] =>
        compare === false ? [] : [[name, asDocumentSays(values[i] ?? null, fields[i]), fields[i]]],
    ),
  ];
  return expected.flatMap(([name, value, field]) => {
    const found = read(document, name);
    return same(value, found, field)
      ? []
      : [{ key, field: name, expected: lexemesToText(value), found: lexemesToText(found) }];
  });
}

/** Whether two values mean the same. Two texts of one binary float may differ in their last digit. */
function same(expected: unknown, found: unknown, field: DescribedField | undefined): boolean {
  const isFloat = field !== undefined && fieldType(field.oid).category === 'float';
  if (isFloat && expected instanceof Lexeme && found instanceof Lexeme) {
    const [a, b] = [Number(expected.text), Number(found.text)];
    return field.oid === OID.float4 ? Math.fround(a) === Math.fround(b) : a === b;
  }
  return sameJson(expected, found);
}

/**
 * Turns `to_json`'s value into what our documents say: times with `Z` (those without zone are in UTC), and null for
 * what the policy null replaces.
 */
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
