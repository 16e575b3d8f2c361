import { describe, expect, it } from 'vitest';
import type { FieldDefinition } from '../../definition/definition.ts';
import { parseLexemes } from '../../orchestrator/index/exact-json.ts';
import { verifyBuilt } from '../../orchestrator/index/effective/verify-built.ts';
import { requireNothingDropped } from '../../orchestrator/index/findable/dropped-values.ts';
import { unfoundValues } from '../../orchestrator/index/findable/unfound-values.ts';
import { createTarget } from '../../orchestrator/index/create.ts';
import { finalizeTarget } from '../../orchestrator/index/finalize.ts';
import { passAliases } from '../../orchestrator/index/names.ts';
import { identityOf } from '../support/index-life.ts';
import { CLUSTERS, FINALIZE, useIndexWorld } from '../support/index-world.ts';
import { bulk, call, count } from '../support/search-calls.ts';

const signal = new AbortController().signal;
type Mapping = Readonly<Record<string, unknown>>;

const MATCH_ALL = { match_all: {} };
/** Fields and values that both nodes know. None of them may be called unfound. */
const COMMON: readonly (readonly [mapping: Mapping, ...values: string[]])[] = [
  [
    { type: 'long' },
    '9223372036854775807',
    '-9223372036854775808',
    '0',
    '-0',
    '"12"',
    '[1,null,2]',
    '[]',
    'null',
    '""',
  ],
  [{ type: 'integer' }, '1', '2147483647', '[3,3]'],
  [{ type: 'short' }, '-32768'],
  [{ type: 'byte' }, '127'],
  [
    { type: 'double' },
    '0.1',
    '1e300',
    '-1.7976931348623157e308',
    '12345678901234567.89',
    '4.9e-324',
    '0.0',
    '"1.5"',
  ],
  [{ type: 'float' }, '0.1', '16777217', '3.4e38', '1e-40', '-2.5', '33554434.5'],
  [{ type: 'boolean' }, 'true', 'false', '"true"', '[true,false]'],
  [
    { type: 'date', format: 'strict_date_optional_time' },
    '"2024-01-01"',
    '"2024-01-01T12:34:56.123456Z"',
    '"1969-12-31T23:59:59.999999Z"',
    '"0001-01-01T00:00:00Z"',
    '"9999-12-31T23:59:59.999999Z"',
    '["2024-02-29","2024-01-01T00:00:00Z"]',
  ],
  [{ type: 'date' }, '1700000000000', '"2024-01-01"'],
  [{ type: 'keyword' }, '"a"', '""', '" a b "', '"ü😀"', '["x",null,"y"]', '12', '1.50', 'true'],
  [{ type: 'keyword', ignore_above: 3 }, '"abc"', '"abcd"', '["abcde","a"]'],
  [
    { type: 'text', fields: { keyword: { type: 'keyword', ignore_above: 256 } } },
    '"The quick brown fox"',
    '"?!"',
    '""',
    '"   "',
    '"it’s a don\'t e.g. 1.5,2 foo-bar_baz"',
    '["one two","three"]',
    `"${'long '.repeat(500)}"`,
    `"${'a'.repeat(5000)}"`,
    `"${'漢字'.repeat(2000)}"`,
    '"ไทย ภาษา"',
    '"a\\u00a0b\\u2003c\\tD\\nE"',
    '"İstanbul ẞ ﬁ"',
    '5',
  ],
  [{ type: 'ip' }, '"10.0.0.1"', '"2001:db8::1"', '["::1","127.0.0.1"]'],
  [{ type: 'geo_point' }, '{"lat":48.2,"lon":16.3}', '[16.3,48.2]', '[{"lat":1,"lon":2},{"lat":3,"lon":4}]'],
  [{ type: 'object', enabled: false }, '{"a":"b"}', '"text"'],
  [
    { properties: { city: { type: 'keyword' }, zip: { type: 'integer' } } },
    '{"city":"Rome","zip":7}',
    '[{"city":"Rome"},{"zip":8}]',
    '{}',
    '{"city":null}',
  ],
];
/** Fields that only a real cluster knows. */
const REAL: readonly (readonly [mapping: Mapping, ...values: string[]])[] = [
  [{ type: 'half_float' }, '0.1', '2.5', '65504', '1e-7', '1234.5'],
  [{ type: 'scaled_float', scaling_factor: 100 }, '1.23', '1.239', '0', '-99999.99'],
  [{ type: 'unsigned_long' }, '18446744073709551615', '0', '1'],
  [{ type: 'date_nanos' }, '"2024-01-01T12:34:56.123456789Z"', '"2024-01-01"'],
  [{ type: 'date', format: 'dd/MM/yyyy||epoch_millis' }, '"31/12/2024"', '5'],
  [{ type: 'date', format: 'epoch_second' }, '1700000000', '"1700000000"'],
  [{ type: 'text', analyzer: 'standard', search_analyzer: 'keyword' }, '"The fox"', '"?!"'],
  [{ type: 'text', analyzer: 'stop' }, '"the of and"', '"fox"'],
  [{ type: 'text', index: false }, '"The fox"'],
  [{ type: 'text', norms: false, analyzer: 'simple' }, '"The fox"', '"?!"'],
  [{ type: 'text', index_options: 'docs' }, '"The fox"'],
  [{ type: 'keyword', index: false }, '"a"', '["b"]'],
  [{ type: 'keyword', doc_values: false }, '"a"'],
  [{ type: 'keyword', doc_values: false, index: false }, '"a"'],
  [{ type: 'long', index: false }, '5'],
  [{ type: 'long', doc_values: false }, '5', '0'],
  [{ type: 'boolean', index: false }, 'true'],
  [{ type: 'date', index: false }, '"2024-01-01"'],
  [{ type: 'ip', index: false }, '"10.0.0.1"'],
  [{ type: 'integer', coerce: true }, '1.7', '"3.9"'],
  [{ type: 'integer', ignore_malformed: true }, '"n/a"', '3'],
  [{ type: 'keyword', null_value: 'none' }, 'null', '"a"', '[null]'],
  [{ type: 'integer_range' }, '{"gte":1,"lt":5}'],
  [{ type: 'date_range' }, '{"gte":"2024-01-01"}'],
  [{ type: 'geo_shape' }, '{"type":"Point","coordinates":[1,2]}', '"POINT (1 2)"'],
  [{ type: 'search_as_you_type' }, '"quick brown"', '"?!"'],
  [{ type: 'wildcard' }, '"a*b"'],
  [{ type: 'flat_object' }, '{"a":{"b":"c"}}'],
  [{ type: 'completion' }, '"abc"'],
  [{ type: 'token_count', analyzer: 'standard' }, '"one two"'],
  [{ type: 'binary' }, '"YQ=="'],
  [{ type: 'rank_feature' }, '1.5'],
  [{ type: 'match_only_text' }, '"quick brown"', '"?!"'],
  [
    {
      type: 'nested',
      properties: { city: { type: 'keyword' }, zip: { type: 'integer' }, note: { type: 'text' } },
    },
    '[{"city":"Rome","zip":7,"note":"good one"},{"city":"Bonn","zip":8}]',
    '[]',
    '{"zip":9}',
  ],
  [{ type: 'object', dynamic: true, properties: { a: { type: 'keyword' } } }, '{"a":"x","b":{"c":1}}'],
];

describe.each(CLUSTERS)('documents on $name', ({ name, url: maybeUrl }) => {
  const world = useIndexWorld(maybeUrl);
  const { url } = world;
  const isReal = name === 'OpenSearch';

  /** Creates the target with one field per mapping, and writes one document per list of values. */
  async function build(mappings: readonly Mapping[], documents: readonly string[]) {
    const document = mappings.map(
      (mapping, i): FieldDefinition => ({ name: `f${i}`, sql: 'item.name', mapping }),
    );
    await world.redefine({ document });
    const names = await createTarget(world.cluster, world.described, identityOf('r1'), 1);
    return { names, write: () => write(names, documents) };
  }
  async function write(
    names: Parameters<typeof passAliases>[0],
    documents: readonly string[],
  ): Promise<void> {
    const lines = documents.flatMap((text, i) => [{ index: { _id: String(i + 1) } }, text]);
    const outcomes = await bulk(url, passAliases(names, 1).writeAlias, lines);
    expect(outcomes.filter(({ error }) => error !== undefined)).toEqual([]);
    await finalizeTarget(world.cluster, { definition: world.definition, names, pass: 1 }, FINALIZE);
  }
  const unfound = (index: string, documents: readonly string[]) =>
    unfoundValues({
      cluster: world.cluster,
      described: world.described,
      index,
      copies: 'any',
      documents: new Map(documents.map((text, i) => [BigInt(i + 1), parseLexemes(text)])),
      signal,
    });

  it('are found by every value of every type of field', async () => {
    const cases = isReal ? [...COMMON, ...REAL] : COMMON;
    const most = Math.max(...cases.map((values) => values.length - 1));
    const documents = Array.from({ length: most }, (_, i) => {
      const fields = cases.flatMap(([, ...values], f) =>
        values[i] === undefined ? [] : [`"f${f}":${values[i]}`],
      );
      return `{${[`"id":${i + 1}`, ...fields].join(',')}}`;
    });
    const { names, write } = await build(
      cases.map(([mapping]) => mapping),
      documents,
    );
    await write();
    expect(await count(url, names.index, MATCH_ALL)).toBe(most);
    expect(await unfound(names.index, documents)).toEqual([]);
    await requireNothingDropped({ cluster: world.cluster, described: world.described, names, signal });
  });

  it('are not found by what the index does not hold, and each such value is named', async () => {
    const { names, write } = await build(
      [{ type: 'keyword' }, { type: 'long' }, { type: 'text' }, { properties: { a: { type: 'boolean' } } }],
      ['{"id":1,"f0":"a","f1":5,"f2":"one two","f3":{"a":true}}', '{"id":2}'],
    );
    await write();
    const claimed = ['{"id":1,"f0":["a","b"],"f1":6,"f2":"one three","f3":{"a":false}}', '{"id":2,"f0":"c"}'];
    expect((await unfound(names.index, claimed)).map(({ key, path }) => `${key} ${path}`)).toEqual([
      '1 f0',
      '1 f1',
      '1 f2',
      '1 f3.a',
      '2 f0',
    ]);
  });

  if (!isReal) return;

  it.for([
    ['a number that the cluster cut to a whole one', { type: 'integer' }, '1.7', 'f0'],
    ['a text of a number that the cluster cut', { type: 'long' }, '"2.5"', 'f0'],
  ] as const)('are not found by %s', async ([, mapping, value, path]) => {
    const documents = [`{"id":1,"f0":${value}}`, '{"id":2,"f0":3}'];
    const { names, write } = await build([mapping], documents);
    await write();
    expect((await unfound(names.index, documents)).map((one) => `${one.key} ${one.path}`)).toEqual([
      `1 ${path}`,
    ]);
  });

  async function changeField(index: string, field: Mapping): Promise<void> {
    const put = await call(url, 'PUT', `/${index}/_mapping`, { properties: { f0: field } });
    expect(put.status).toBe(200);
  }

  it('are refused if the index began to drop malformed values after its creation', async () => {
    const { names, write } = await build([{ type: 'date' }], ['{"id":1,"f0":"n/a"}', '{"id":2}']);
    await changeField(names.index, { type: 'date', ignore_malformed: true });
    await write();
    const input = { cluster: world.cluster, described: world.described, names, signal };
    await expect(requireNothingDropped(input)).rejects.toThrow(
      /has dropped values of 1 documents of .*, though _source shows them: f0 \(1\)/,
    );
    await expect(verifyBuilt(world.cluster, world.described, names.index)).rejects.toThrow(
      /"f0" came with ignore_malformed: true/,
    );
  });

  it('are not found by long texts if the index began to leave them out after its creation', async () => {
    const documents = ['{"id":1,"f0":"abcdef"}', '{"id":2,"f0":"abc"}'];
    const { names, write } = await build([{ type: 'keyword' }], documents);
    await changeField(names.index, { type: 'keyword', ignore_above: 3 });
    await write();
    expect((await unfound(names.index, documents)).map(({ key, path }) => `${key} ${path}`)).toEqual([
      '1 f0',
    ]);
    await expect(verifyBuilt(world.cluster, world.described, names.index)).rejects.toThrow(
      /"f0" came with ignore_above: 3/,
    );
  });

  it('are refused if somebody has hidden or limited the index meanwhile', async () => {
    const { names, write } = await build([{ type: 'keyword' }], ['{"id":1,"f0":"a"}']);
    await write();
    await verifyBuilt(world.cluster, world.described, names.index);
    await call(url, 'PUT', `/${names.index}/_settings`, {
      'index.max_result_window': 5,
      'index.hidden': true,
    });
    await expect(verifyBuilt(world.cluster, world.described, names.index)).rejects.toThrow(
      /index\.hidden: true.*index\.max_result_window: 5/,
    );
  });
});
