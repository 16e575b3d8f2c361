import { afterEach, describe, expect, inject, it } from 'vitest';
import { bulk, call, count, errorType, uniqueName } from '../support/search-calls.ts';

/** What the product relies on in a search cluster. The real one and the development node must both do it. */
const clusters = [
  { name: 'development node', url: inject('developmentUrl') },
  { name: 'OpenSearch', url: inject('searchUrl') },
];

const PROPERTIES = {
  id: { type: 'long' },
  long: { type: 'long' },
  integer: { type: 'integer' },
  short: { type: 'short' },
  float: { type: 'float' },
  double: { type: 'double' },
  boolean: { type: 'boolean' },
  date: { type: 'date', format: 'strict_date_optional_time' },
  keyword: { type: 'keyword' },
  text: { type: 'text', fields: { keyword: { type: 'keyword', ignore_above: 256 } } },
  opaque: { type: 'object', enabled: false },
};
const MIN = '-9223372036854775808';
const MAX = '9223372036854775807';

describe.each(clusters)('the search node $name', ({ url: maybeUrl }) => {
  const url = maybeUrl ?? '';
  const indexes: string[] = [];

  /** Creates an index as the product does, with a write alias. */
  async function createIndex(
    settings: Record<string, unknown> = {},
  ): Promise<{ index: string; alias: string }> {
    const index = uniqueName('contract');
    const alias = `${index}-write-1`;
    const build = {
      'index.refresh_interval': '-1',
      'index.number_of_replicas': '0',
      'index.final_pipeline': '_none',
    };
    const answer = await call(url, 'PUT', `/${index}`, {
      settings: { ...build, ...settings },
      mappings: { dynamic: 'strict', _meta: { ours: { run: 'r1' } }, properties: PROPERTIES },
      aliases: { [alias]: {} },
    });
    expect(answer).toMatchObject({ status: 200, body: { acknowledged: true, shards_acknowledged: true } });
    indexes.push(index);
    return { index, alias };
  }
  const describeIndex = async (index: string) =>
    (await call(url, 'GET', `/${index}?flat_settings=true`)).body[index] as {
      aliases: Record<string, unknown>;
      mappings: Record<string, unknown>;
      settings: Record<string, unknown>;
    };
  const refresh = (index: string) => call(url, 'POST', `/${index}/_refresh`);
  const aliases = (...actions: unknown[]) => call(url, 'POST', '/_aliases', { actions });
  const holders = async (alias: string) =>
    Object.keys((await call(url, 'GET', `/_alias/${alias}`)).body).sort();
  const put = (id: string, fields: object = {}) => [{ index: { _id: id } }, { id: Number(id), ...fields }];
  const versioned = (id: string, version: string) => [
    `{"index":{"_id":"${id}","version":${version},"version_type":"external_gte"}}`,
    { id: Number(id) },
  ];

  afterEach(async () => {
    for (const index of indexes.splice(0)) await call(url, 'DELETE', `/${index}`);
  });

  describe.skipIf(maybeUrl === null)('in its index calls', () => {
    it('says its version and distribution', async () => {
      const { status, body } = await call(url, 'GET', '/');
      expect(status).toBe(200);
      expect(body).toMatchObject({
        version: { number: expect.stringMatching(/^\d+\.\d+\.\d+$/), distribution: expect.any(String) },
        tagline: expect.any(String),
      });
    });

    it('returns settings, mapping, _meta and aliases as they were set', async () => {
      const { index, alias } = await createIndex();
      const found = await describeIndex(index);
      expect(found.aliases).toEqual({ [alias]: {} });
      expect(found.mappings).toEqual({
        dynamic: 'strict',
        _meta: { ours: { run: 'r1' } },
        properties: PROPERTIES,
      });
      expect(found.settings).toMatchObject({
        'index.refresh_interval': '-1',
        'index.number_of_replicas': '0',
        'index.final_pipeline': '_none',
        'index.number_of_shards': '1',
      });
      expect((await call(url, 'GET', `/${index}`)).body).toMatchObject({
        [index]: { settings: { index: { refresh_interval: '-1' } } },
      });
      expect((await call(url, 'GET', `/${index}/_mapping`)).body).toEqual({
        [index]: { mappings: found.mappings },
      });
      expect((await call(url, 'GET', `/${index}/_settings?flat_settings=true`)).body).toEqual({
        [index]: { settings: found.settings },
      });
    });

    it('refuses a second index of the same name, a name that is an alias, an invalid name and an unknown type', async () => {
      const { index, alias } = await createIndex();
      expect(errorType(await call(url, 'PUT', `/${index}`, {}))).toBe('resource_already_exists_exception');
      expect(errorType(await call(url, 'PUT', `/${alias}`, {}))).toBe('invalid_index_name_exception');
      expect(errorType(await call(url, 'PUT', '/Contract', {}))).toBe('invalid_index_name_exception');
      const unknown = { mappings: { properties: { a: { type: 'nope' } } } };
      expect(await call(url, 'PUT', '/contract-nope', unknown)).toMatchObject({
        status: 400,
        body: { error: { type: 'mapper_parsing_exception' } },
      });
      expect((await call(url, 'GET', '/contract-nope')).status).toBe(404);
    });

    it('finds indexes by pattern, answers 404 for a missing index, and shows the index behind an alias', async () => {
      const { index, alias } = await createIndex();
      expect(
        Object.keys((await call(url, 'GET', `/${index.slice(0, -1)}*?expand_wildcards=all`)).body),
      ).toEqual([index]);
      expect(Object.keys((await call(url, 'GET', `/${alias}`)).body)).toEqual([index]);
      expect((await call(url, 'GET', '/contract-none-*')).body).toEqual({});
      expect(await call(url, 'GET', '/contract-none')).toMatchObject({
        status: 404,
        body: { error: { type: 'index_not_found_exception' } },
      });
      expect((await call(url, 'DELETE', '/contract-none')).status).toBe(404);
      expect((await call(url, 'HEAD', `/${index}`)).status).toBe(200);
      expect((await call(url, 'HEAD', '/contract-none')).status).toBe(404);
      const rows = (await call(url, 'GET', '/_cat/indices?format=json')).body as unknown as {
        index: string;
      }[];
      expect(rows.find((row) => row.index === index)).toMatchObject({
        health: 'green',
        status: 'open',
        'docs.count': '0',
      });
    });

    it('changes settings in place, removes a setting given as null, and reports health by the replicas wanted', async () => {
      const { index } = await createIndex();
      await call(url, 'PUT', `/${index}/_settings`, {
        index: { number_of_replicas: 1, refresh_interval: '1s' },
      });
      expect((await describeIndex(index)).settings).toMatchObject({
        'index.number_of_replicas': '1',
        'index.refresh_interval': '1s',
      });
      const late = await call(url, 'GET', `/_cluster/health/${index}?wait_for_status=green&timeout=100ms`);
      expect(late).toMatchObject({ status: 408, body: { status: 'yellow', timed_out: true } });
      await call(url, 'PUT', `/${index}/_settings`, {
        'index.number_of_replicas': 0,
        'index.refresh_interval': null,
      });
      expect((await describeIndex(index)).settings).not.toHaveProperty(['index.refresh_interval']);
      const health = await call(url, 'GET', `/_cluster/health/${index}?wait_for_status=green&timeout=10s`);
      expect(health).toMatchObject({
        status: 200,
        body: { status: 'green', timed_out: false, number_of_data_nodes: 1 },
      });
      expect(await call(url, 'GET', '/_cluster/health/contract-none?timeout=100ms')).toMatchObject({
        status: 408,
        body: { status: 'red', timed_out: true },
      });
    });

    it('replaces _meta as a whole and keeps the rest of the mapping', async () => {
      const { index } = await createIndex();
      await call(url, 'PUT', `/${index}/_mapping`, { _meta: { other: 1 } });
      expect((await describeIndex(index)).mappings).toEqual({
        dynamic: 'strict',
        _meta: { other: 1 },
        properties: PROPERTIES,
      });
    });
  });

  describe.skipIf(maybeUrl === null)('in its bulk calls', () => {
    it('answers each item with the concrete index, in order', async () => {
      const { index, alias } = await createIndex();
      const outcomes = await bulk(url, alias, [
        ...put('1'),
        ...put('1'),
        { create: { _id: '2' } },
        { id: 2 },
        { create: { _id: '2' } },
        { id: 2 },
        { delete: { _id: '1' } },
        { delete: { _id: '9' } },
      ]);
      expect(outcomes).toEqual([
        { index, id: '1', status: 201, result: 'created', error: undefined },
        { index, id: '1', status: 200, result: 'updated', error: undefined },
        { index, id: '2', status: 201, result: 'created', error: undefined },
        { index, id: '2', status: 409, result: undefined, error: 'version_conflict_engine_exception' },
        { index, id: '1', status: 200, result: 'deleted', error: undefined },
        { index, id: '9', status: 404, result: 'not_found', error: undefined },
      ]);
    });

    it('never creates an index with require_alias, and accepts no index name as an alias', async () => {
      const { index } = await createIndex();
      const missing = { status: 404, error: 'index_not_found_exception' };
      expect(await bulk(url, 'contract-none', put('1'))).toMatchObject([missing]);
      expect(await bulk(url, index, put('1'))).toMatchObject([missing]);
      expect((await call(url, 'GET', '/contract-none')).status).toBe(404);
    });

    it('writes to the write index of an alias for several indexes, and refuses an alias without one', async () => {
      const [a, b] = [await createIndex(), await createIndex()];
      const alias = `${a.index}-both`;
      await aliases({ add: { index: a.index, alias } }, { add: { index: b.index, alias } });
      expect(await bulk(url, alias, put('1'))).toMatchObject([
        { status: 400, error: 'illegal_argument_exception' },
      ]);
      await aliases({ add: { index: b.index, alias, is_write_index: true } });
      expect(await bulk(url, alias, put('1'))).toMatchObject([{ status: 201, index: b.index }]);
    });

    it('refuses each item under a write block, while refresh, forcemerge and settings still work', async () => {
      const { index, alias } = await createIndex();
      await bulk(url, alias, put('1'));
      const block = await call(url, 'PUT', `/${index}/_block/write`);
      expect(block).toMatchObject({
        status: 200,
        body: { acknowledged: true, shards_acknowledged: true, indices: [{ name: index, blocked: true }] },
      });
      // No shard of an index that is blocked already is asked again.
      expect(await call(url, 'PUT', `/${index}/_block/write`)).toMatchObject({
        status: 200,
        body: { acknowledged: true, shards_acknowledged: false, indices: [] },
      });
      const refused = { status: 403, error: 'cluster_block_exception' };
      expect(await bulk(url, alias, [...put('2'), { delete: { _id: '1' } }])).toMatchObject([
        refused,
        refused,
      ]);
      expect((await refresh(index)).body).toMatchObject({ _shards: { failed: 0 } });
      expect((await call(url, 'POST', `/${index}/_forcemerge?max_num_segments=1`)).body).toMatchObject({
        _shards: { failed: 0 },
      });
      expect(await count(url, index)).toBe(1);
      await call(url, 'PUT', `/${index}/_settings`, { 'index.blocks.write': null });
      expect((await describeIndex(index)).settings).not.toHaveProperty(['index.blocks.write']);
      expect(await bulk(url, alias, put('2'))).toMatchObject([{ status: 201 }]);
    });

    it('keeps the newest version when external_gte stands on the action line', async () => {
      const { alias, index } = await createIndex({ 'index.gc_deletes': '1h' });
      const conflict = { status: 409, error: 'version_conflict_engine_exception' };
      expect(await bulk(url, alias, versioned('1', '5'))).toMatchObject([{ status: 201 }]);
      expect(
        await bulk(url, alias, [...versioned('1', '5'), ...versioned('1', '4'), ...versioned('1', '6')]),
      ).toMatchObject([{ status: 200 }, conflict, { status: 200 }]);
      expect(await bulk(url, alias, versioned('2', MAX))).toMatchObject([{ status: 201 }]);
      expect(await bulk(url, alias, versioned('2', '9223372036854775806'))).toMatchObject([conflict]);
      await bulk(url, alias, ['{"delete":{"_id":"1","version":8,"version_type":"external_gte"}}']);
      expect(await bulk(url, alias, [...versioned('1', '7'), ...versioned('1', '8')])).toMatchObject([
        conflict,
        { status: 201 },
      ]);
      expect((await call(url, 'GET', `/${index}/_doc/1`)).body).toMatchObject({ found: true, _version: 8 });
    });

    it('deletes by if_seq_no only what was not written since', async () => {
      const { alias, index } = await createIndex();
      await bulk(url, alias, put('1'));
      const { _seq_no: seqNo, _primary_term: term } = (await call(url, 'GET', `/${index}/_doc/1`)).body;
      await bulk(url, alias, put('1'));
      const remove = (at: unknown) => [{ delete: { _id: '1', if_seq_no: at, if_primary_term: term } }];
      expect(await bulk(url, alias, remove(seqNo))).toMatchObject([{ status: 409 }]);
      expect(await bulk(url, alias, remove(Number(seqNo) + 1))).toMatchObject([
        { status: 200, result: 'deleted' },
      ]);
      expect(await bulk(url, alias, remove(Number(seqNo) + 1))).toMatchObject([{ status: 409 }]);
    });

    it('refuses as a whole a version in the URL, an unknown action, a missing last newline and an empty body', async () => {
      const { alias } = await createIndex();
      const lines = '{"index":{"_id":"1"}}\n{"id":1}\n';
      const post = async (text: string, query = '') =>
        (await call(url, 'POST', `/${alias}/_bulk${query}`, text)).status;
      expect(await post(lines, '?version_type=external_gte')).toBe(400);
      expect(await post(lines.trimEnd())).toBe(400);
      expect(await post('{"replace":{"_id":"1"}}\n{"id":1}\n')).toBe(400);
      expect(await post('{"index":{"_id":"1","nonsense":1}}\n{"id":1}\n')).toBe(400);
      expect(
        await post(`${lines}{"index":{"_id":"2","version":-1,"version_type":"external_gte"}}\n{"id":2}\n`),
      ).toBe(400);
      expect(await post('\n')).toBe(400);
      expect(await post(lines)).toBe(200);
    });

    const fault = 'mapper_parsing_exception';
    it.each<[string, string, string | undefined]>([
      ['a field that the mapping does not name', '"nope":1', 'strict_dynamic_mapping_exception'],
      ['a null in a field that the mapping does not name', '"nope":null', 'strict_dynamic_mapping_exception'],
      ['a text in a long', '"long":"x"', fault],
      ['a long out of range', '"long":9223372036854775808', fault],
      ['both ends of long in a long', `"long":[${MIN},${MAX}]`, undefined],
      ['an integer out of range', '"integer":2147483648', fault],
      ['a short out of range', '"short":-32769', fault],
      ['a fraction in an integer', '"integer":1.5', undefined],
      ['a number in a text', '"integer":"42"', undefined],
      ['a boolean in a long', '"long":true', fault],
      ['an infinite double', '"double":1e400', fault],
      ['a text in a double', '"double":"NaN"', fault],
      ['a float out of range', '"float":3.5e38', fault],
      ['booleans in a boolean', '"boolean":[true,"false",""]', undefined],
      ['a number in a boolean', '"boolean":1', fault],
      [
        'a date',
        '"date":["2024-02-29","2024-01-01T00:00:00.123456Z","0001-01-01","2024-01-01T00:00:00+02:00"]',
        undefined,
      ],
      ['a date out of its month', '"date":"2024-13-01"', fault],
      ['a date of the year 10000', '"date":"10000-01-01"', fault],
      ['a date before Christ', '"date":"0044-03-15 BC"', fault],
      ['an infinite date', '"date":"infinity"', fault],
      ['a date without T', '"date":"2024-01-01 00:00"', fault],
      ['an hour out of its day', '"date":"2024-01-01T25:00:00Z"', fault],
      ['an object in a keyword', '"keyword":{"a":1}', fault],
      ['an object in a text', '"text":{"a":1}', fault],
      ['nested arrays and nulls', '"keyword":[["a",null],["b"]],"long":[null],"date":null', undefined],
      ['anything in an object that is not parsed', '"opaque":{"a":{"b":[1,"x"]}}', undefined],
      ['a JSON text that is cut', '"long":1,"text":"x', fault],
    ])('accepts or refuses, as the mapping demands, a document with %s', async (_name, fields, error) => {
      const { alias } = await createIndex();
      const [outcome] = await bulk(url, alias, [
        { index: { _id: '1' } },
        `{"id":1,${fields}${fields.endsWith('"x') ? '' : '}'}`,
      ]);
      expect(outcome).toMatchObject(error === undefined ? { status: 201 } : { status: 400, error });
    });

    it('refuses a keyword over 32,766 bytes, and accepts one under ignore_above', async () => {
      const { alias } = await createIndex();
      const long = 'x'.repeat(32_767);
      const [keyword, text] = await bulk(url, alias, [
        ...put('1', { keyword: long }),
        ...put('2', { text: long }),
      ]);
      expect(keyword).toMatchObject({ status: 400, error: 'illegal_argument_exception' });
      expect(text).toMatchObject({ status: 201 });
    });
  });

  describe.skipIf(maybeUrl === null)('in its alias calls', () => {
    it('moves an alias in one call or not at all', async () => {
      const [a, b] = [await createIndex(), await createIndex()];
      const alias = uniqueName('readers');
      await aliases({ add: { index: a.index, alias } });
      const missing = await aliases(
        { remove: { index: b.index, alias, must_exist: true } },
        { add: { index: b.index, alias } },
      );
      expect(missing).toMatchObject({
        status: 404,
        body: { error: { type: 'aliases_not_found_exception' } },
      });
      expect(
        errorType(
          await aliases({ remove: { index: a.index, alias } }, { add: { index: 'contract-none', alias } }),
        ),
      ).toBe('index_not_found_exception');
      expect(await holders(alias)).toEqual([a.index]);
      expect(
        (
          await aliases(
            { remove: { index: a.index, alias, must_exist: true } },
            { add: { index: b.index, alias } },
          )
        ).status,
      ).toBe(200);
      expect(await holders(alias)).toEqual([b.index]);
    });

    it('keeps filter, routing and write index of an alias, and filters what is read through it', async () => {
      const { index, alias: write } = await createIndex();
      const alias = uniqueName('readers');
      await aliases({
        add: { index, alias, filter: { term: { keyword: 'a' } }, routing: 'r', is_write_index: true },
      });
      expect((await call(url, 'GET', `/_alias/${alias}`)).body).toEqual({
        [index]: {
          aliases: {
            [alias]: {
              filter: { term: { keyword: 'a' } },
              index_routing: 'r',
              search_routing: 'r',
              is_write_index: true,
            },
          },
        },
      });
      await bulk(url, write, [...put('1', { keyword: 'a' }), ...put('2', { keyword: 'b' })]);
      await refresh(index);
      expect(await count(url, alias)).toBe(1);
      expect(await count(url, index)).toBe(2);
    });

    it('refuses an alias named like an index, replaces an index by an alias in one call, and removes an alias alone', async () => {
      const [a, b] = [await createIndex(), await createIndex()];
      expect(errorType(await aliases({ add: { index: a.index, alias: b.index } }))).toBe(
        'invalid_alias_name_exception',
      );
      await aliases({ remove_index: { index: b.index } }, { add: { index: a.index, alias: b.index } });
      expect(await holders(b.index)).toEqual([a.index]);
      expect((await call(url, 'DELETE', `/${a.index}/_alias/${b.index}`)).status).toBe(200);
      expect((await call(url, 'DELETE', `/${a.index}/_alias/${b.index}`)).status).toBe(404);
      expect((await call(url, 'GET', `/_alias/${b.index}`)).status).toBe(404);
      expect((await call(url, 'GET', `/${a.index}/_alias`)).body).toEqual({
        [a.index]: { aliases: { [a.alias]: {} } },
      });
    });
  });

  describe.skipIf(maybeUrl === null)('in its reading calls', () => {
    const range = (query: object) => ({ range: { id: query } });
    const fill = async (settings = {}) => {
      const made = await createIndex(settings);
      const keys = [MIN, '-1', '0', '7', '9007199254740993', MAX];
      const lines = keys.flatMap((key) => [
        { index: { _id: key } },
        `{"id":${key},"double":1.10,"text":"New York","keyword":"${key}"}`,
      ]);
      await bulk(url, made.alias, lines);
      return { ...made, keys };
    };

    it('shows documents to searches and counts only after a refresh, and by id at once', async () => {
      const { index, keys } = await fill();
      expect(await count(url, index)).toBe(0);
      expect((await call(url, 'GET', `/${index}/_doc/7`)).body).toMatchObject({
        found: true,
        _id: '7',
        _source: { id: 7 },
      });
      await refresh(index);
      expect(await count(url, index)).toBe(keys.length);
    });

    it('refreshes by itself at its refresh interval', async () => {
      const { index } = await fill({ 'index.refresh_interval': '1h' });
      expect(await count(url, index)).toBe(0);
      await call(url, 'PUT', `/${index}/_settings`, { 'index.refresh_interval': '50ms' });
      await expect.poll(() => count(url, index), { timeout: 10_000 }).toBe(6);
    });

    it.each<[object, number]>([
      [{ gte: MIN, lt: '-1' }, 1],
      [{ lt: '0' }, 2],
      [{ gte: '7', lt: '9007199254740993' }, 1],
      [{ gte: '9007199254740993', lt: '9007199254740994' }, 1],
      [{ gte: '9007199254740994' }, 1],
      [{ gte: MAX }, 1],
      [{ gt: '7', lte: MAX }, 2],
      [{ gte: 1, lt: 1 }, 0],
    ])('counts the keys in the range %j', async (query, expected) => {
      const { index } = await fill();
      await refresh(index);
      expect(await count(url, index, range(query))).toBe(expected);
    });

    it.each<[string, object, number]>([
      ['term on a keyword', { term: { keyword: '7' } }, 1],
      ['terms on a long', { terms: { id: ['9007199254740993', 7, 8] } }, 2],
      ['a query for ids', { ids: { values: ['7', '8'] } }, 1],
      ['a bool query', { bool: { filter: [range({ gte: 0 })], must_not: [{ term: { keyword: '7' } }] } }, 3],
      ['match on a word of a text', { match: { text: 'york' } }, 6],
      ['match of another word', { match: { text: 'london' } }, 0],
      ['match of any word', { match: { text: 'london york' } }, 6],
      ['match of every word', { match: { text: { query: 'london york', operator: 'and' } } }, 0],
      ['match of every word in any order', { match: { text: { query: 'york NEW', operator: 'and' } } }, 6],
      ['term on a sub-field', { term: { 'text.keyword': 'New York' } }, 6],
      ['term on a field that does not exist', { term: { nope: 1 } }, 0],
    ])('counts the documents found by %s', async (_name, query, expected) => {
      const { index } = await fill();
      await refresh(index);
      expect(await count(url, index, query)).toBe(expected);
    });

    it('finds a text without its accents when the analyzer folds them', async () => {
      const analyzer = {
        folded: { type: 'custom', tokenizer: 'standard', filter: ['lowercase', 'asciifolding'] },
      };
      const index = uniqueName('contract');
      indexes.push(index);
      const properties = { plain: { type: 'text' }, folded: { type: 'text', analyzer: 'folded' } };
      const settings = { number_of_replicas: 0, analysis: { analyzer } };
      const body = { settings, mappings: { dynamic: 'strict', properties }, aliases: { [`${index}-w`]: {} } };
      expect((await call(url, 'PUT', `/${index}`, body)).status).toBe(200);
      await bulk(url, `${index}-w`, [{ index: { _id: '1' } }, { plain: 'São Paulo', folded: 'São Paulo' }]);
      await refresh(index);
      expect(await count(url, index, { match: { folded: { query: 'sao paulo', operator: 'and' } } })).toBe(1);
      expect(await count(url, index, { match: { plain: 'sao' } })).toBe(0);
    });

    it('pages by key with search_after, and loses no digit', async () => {
      const { index, keys } = await fill();
      await refresh(index);
      const page = async (after?: string) => {
        const response = await fetch(`${url}/${index}/_search`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({
            size: 4,
            sort: [{ id: 'asc' }],
            _source: false,
            ...(after === undefined ? {} : { search_after: [after] }),
          }),
        });
        return [...(await response.text()).matchAll(/"sort":\[(-?\d+)\]/g)].map((match) => match[1] ?? '');
      };
      const first = await page();
      expect(first).toEqual(keys.slice(0, 4));
      expect(await page(first.at(-1))).toEqual(keys.slice(4));
    });

    it('returns keys as sort values alone, without fetching documents', async () => {
      const { index, keys } = await fill();
      await refresh(index);
      const response = await fetch(`${url}/${index}/_search?filter_path=timed_out,_shards,hits`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          query: range({ gte: '0' }),
          sort: [{ id: 'asc' }],
          search_after: ['0'],
          size: 10,
          _source: false,
          stored_fields: '_none_',
          track_total_hits: false,
        }),
      });
      const hits = keys.slice(3).map((key) => `{"_index":"${index}","_score":null,"sort":[${key}]}`);
      const text = await response.text();
      expect(text).toContain(`"hits":{"max_score":null,"hits":[${hits.join(',')}]}`);
      expect(JSON.parse(text)).toMatchObject({
        timed_out: false,
        _shards: { total: 1, successful: 1, failed: 0 },
      });
    });

    it('finds what exists, also below an object, and answers several searches at once, each with its own fault', async () => {
      const index = uniqueName('contract');
      indexes.push(index);
      const properties = {
        ...PROPERTIES,
        place: { properties: { city: { type: 'keyword' }, zip: { type: 'long' } } },
      };
      await call(url, 'PUT', `/${index}`, { mappings: { dynamic: 'strict', properties } });
      await call(
        url,
        'POST',
        `/${index}/_bulk`,
        `{"index":{"_id":"1"}}\n{"id":1,"text":"New York","place":{"city":"Rome","zip":7}}\n{"index":{"_id":"2"}}\n{"id":2,"keyword":null,"place":[{"zip":8},{"city":"Bonn"}]}\n`,
      );
      await refresh(index);
      const of = (id: string, query: object) =>
        `{}\n${JSON.stringify({ size: 0, track_total_hits: true, query: { bool: { filter: [{ ids: { values: [id] } }, query] } } })}\n`;
      const questions: [id: string, query: object, found: number][] = [
        ['1', { exists: { field: 'text' } }, 1],
        ['1', { exists: { field: 'text.keyword' } }, 1],
        ['2', { exists: { field: 'text' } }, 0],
        ['2', { exists: { field: 'keyword' } }, 0],
        ['1', { exists: { field: 'nowhere' } }, 0],
        ['1', { term: { 'text.keyword': { value: 'New York' } } }, 1],
        ['1', { term: { 'place.city': { value: 'Rome' } } }, 1],
        ['2', { term: { 'place.city': { value: 'Bonn' } } }, 1],
        ['2', { term: { 'place.zip': { value: '7' } } }, 0],
        ['2', { terms: { _ignored: ['keyword'] } }, 0],
        ['1', { match: { text: { query: 'york new', operator: 'and', zero_terms_query: 'all' } } }, 1],
        ['1', { match: { text: { query: '?!', operator: 'and', zero_terms_query: 'all' } } }, 1],
      ];
      const text = questions.map(([id, query]) => of(id, query)).join('') + '{}\n{"sort":["text"]}\n';
      const { status, body } = await call(url, 'POST', `/${index}/_msearch`, text);
      expect(status).toBe(200);
      const responses = body.responses as Record<string, unknown>[];
      expect(
        responses
          .slice(0, -1)
          .map((response) => (response as { hits: { total: { value: number } } }).hits.total.value),
      ).toEqual(questions.map(([, , found]) => found));
      expect(responses[0]).toMatchObject({ status: 200, timed_out: false, _shards: { failed: 0 } });
      expect(responses.at(-1)).toMatchObject({ status: 400, error: { type: expect.any(String) } });
    });

    it('returns documents as they were sent, by search and by id', async () => {
      const { index } = await fill();
      await refresh(index);
      const texts = await Promise.all(
        [
          { path: `/${index}/_search`, body: { query: { ids: { values: [MAX] } } } },
          { path: `/${index}/_mget`, body: { ids: [MAX, 'none'] } },
        ].map(async ({ path, body }) =>
          (
            await fetch(`${url}${path}`, {
              method: 'POST',
              headers: { 'content-type': 'application/json' },
              body: JSON.stringify(body),
            })
          ).text(),
        ),
      );
      for (const text of texts)
        expect(text).toContain(`"_source":{"id":${MAX},"double":1.10,"text":"New York","keyword":"${MAX}"}`);
      const bare = await call(url, 'POST', `/${index}/_mget?_source=false`, { ids: ['7'] });
      expect((bare.body.docs as object[])[0]).not.toHaveProperty('_source');
      expect(JSON.parse(texts[1] ?? '')).toMatchObject({
        docs: [
          { found: true, _id: MAX },
          { found: false, _id: 'none' },
        ],
      });
      const { body } = await call(url, 'POST', `/${index}/_search`, {
        size: 1,
        query: { term: { id: 7 } },
        _source: ['keyword'],
      });
      expect(body).toMatchObject({
        timed_out: false,
        _shards: { failed: 0 },
        hits: { total: { value: 1, relation: 'eq' }, hits: [{ _id: '7', _source: { keyword: '7' } }] },
      });
    });

    it('refuses an unsupported request with a 4xx, and answers 404 for what does not exist', async () => {
      const { index } = await createIndex();
      expect((await call(url, 'POST', `/${index}/_count`, { query: { nonsense: {} } })).status).toBe(400);
      expect((await call(url, 'POST', `/${index}/_search`, { sort: ['text'] })).status).toBe(400);
      expect((await call(url, 'POST', `/${index}/_search`, { size: 10_001 })).status).toBe(400);
      expect((await call(url, 'GET', `/${index}/_search?nonsense=1`)).status).toBe(400);
      expect((await call(url, 'GET', '/_nonsense/x')).status).toBe(400);
      expect((await call(url, 'POST', '/contract-none/_count')).status).toBe(404);
      expect((await call(url, 'GET', `/${index}/_doc/1`)).status).toBe(404);
      expect((await call(url, 'GET', `/${index}/_stats/store`)).body).toMatchObject({
        indices: { [index]: { primaries: { store: { size_in_bytes: expect.any(Number) } } } },
      });
    });
  });
});
