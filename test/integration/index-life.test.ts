import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { systemClock } from '../../orchestrator/clock.ts';
import type { DescribedDefinition, IndexDefinition } from '../../definition/definition.ts';
import type { SearchCluster } from '../../orchestrator/index/cluster.ts';
import { compareKeys } from '../../orchestrator/index/compare-keys.ts';
import { createTarget, deleteTarget, openPass, targetState } from '../../orchestrator/index/create.ts';
import { finalizeTarget } from '../../orchestrator/index/finalize.ts';
import { describeIndex, metaOf } from '../../orchestrator/index/index-meta.ts';
import { passAliases, type TargetNames } from '../../orchestrator/index/names.ts';
import { openValidationSource } from '../../orchestrator/index/postgresql-source.ts';
import { preflight } from '../../orchestrator/index/preflight.ts';
import { promoteTarget, readAlias } from '../../orchestrator/index/promote.ts';
import { previewRetention, retainIndexes } from '../../orchestrator/index/retain.ts';
import { rollbackPromotion } from '../../orchestrator/index/rollback.ts';
import { validateTarget } from '../../orchestrator/index/validate.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import {
  connect,
  createTable,
  describeItems,
  identityOf,
  indexItems,
  itemsDefinition,
  RANGES,
} from '../support/index-life.ts';
import { bulk, call } from '../support/search-calls.ts';

const clusters = [
  { name: 'development node', url: inject('developmentUrl') },
  { name: 'OpenSearch', url: inject('searchUrl') },
];
const signal = new AbortController().signal;
const FINALIZE = { healthTimeoutMs: 20_000, clock: systemClock, signal };

describe.each(clusters)('index life on $name', ({ url: maybeUrl }) => {
  const url = maybeUrl ?? '';
  let database: TestDatabase;
  let client: Client;
  let cluster: SearchCluster;
  let definition: IndexDefinition;
  let described: DescribedDefinition;

  beforeAll(async () => {
    database = await createTestDatabase(inject('postgresUrl'));
  });
  afterAll(async () => {
    await database.drop();
  });
  beforeEach(async ({ skip }) => {
    if (maybeUrl === null) skip();
    client = new Client({ connectionString: database.url });
    await client.connect();
    await client.query('DROP TABLE IF EXISTS items');
    await createTable(client);
    cluster = await connect(url);
    definition = itemsDefinition();
    described = await describeItems(client, definition);
  });
  afterEach(async () => {
    if (maybeUrl === null) return;
    const found = await call(url, 'GET', `/${definition.alias}*`);
    for (const index of Object.keys(found.body)) await call(url, 'DELETE', `/${index}`);
    await Promise.all([cluster.close(), client.end()]);
  });

  async function build(run: string): Promise<TargetNames> {
    const names = await createTarget(cluster, described, identityOf(run), 1);
    await indexItems(url, client, names, 1);
    await finalizeTarget(cluster, definition, names, 1, FINALIZE);
    return names;
  }
  async function promote(names: TargetNames) {
    const expected = await readAlias(cluster, definition.alias);
    return promoteTarget(cluster, { alias: definition.alias, index: names.index, expected });
  }
  const validate = (names: TargetNames) =>
    validateTarget({ cluster, source: source(), described, names, ranges: RANGES, signal });
  const source = () => openValidationSource((work) => work(client), described);
  const holders = async () => (await readAlias(cluster, definition.alias)).map(({ index }) => index);
  const settingsOf = async (index: string) => (await describeIndex(cluster, index))?.settings ?? {};
  /** A write of somebody else, after the run: through an alias made for it. */
  async function tamper(index: string, lines: readonly unknown[]): Promise<void> {
    await call(url, 'POST', '/_aliases', { actions: [{ add: { index, alias: `${index}-tamper` } }] });
    const outcomes = await bulk(url, `${index}-tamper`, lines);
    expect(outcomes.map(({ error }) => error)).toEqual(outcomes.map(() => undefined));
    await call(url, 'POST', '/_aliases', { actions: [{ remove: { index, alias: `${index}-tamper` } }] });
    await call(url, 'POST', `/${index}/_refresh`);
  }

  it('creates both indexes with our mark and the first pass’s aliases, and again without harm', async () => {
    const names = await createTarget(cluster, described, identityOf('r1'), 1);
    expect(names).toMatchObject({
      index: `${definition.alias}-r1`,
      deadLetterIndex: `${definition.alias}-r1-dead-letters`,
      created: true,
    });
    expect(await createTarget(cluster, described, identityOf('r1'), 1)).toMatchObject({ created: false });
    const target = await describeIndex(cluster, names.index);
    expect(Object.keys(target?.aliases ?? {})).toEqual([passAliases(names, 1).writeAlias]);
    expect(target?.settings).toMatchObject({
      'index.refresh_interval': '-1',
      'index.number_of_replicas': '0',
      'index.final_pipeline': '_none',
    });
    expect(target?.mappings).toMatchObject({
      dynamic: 'strict',
      properties: { id: { type: 'long' }, price: { type: 'double' } },
    });
    expect(target === null ? null : metaOf(target)).toMatchObject({
      schema: 1,
      fleet: 'test',
      run: 'r1',
      run_key: 'key-r1',
      alias: definition.alias,
      role: 'target',
    });
    expect(await targetState(cluster, names)).toBe('present');
  });

  it('leaves nothing behind when the target is refused, and takes no index of another', async () => {
    const field = { name: 'name', sql: 'item.name', mapping: { type: 'nonsense' } };
    const faulty = { ...described, definition: { ...definition, document: [field] } };
    await expect(createTarget(cluster, faulty, identityOf('r1'), 1)).rejects.toThrow(/nonsense/);
    expect((await call(url, 'GET', `/${definition.alias}*`)).body).toEqual({});
    await call(url, 'PUT', `/${definition.alias}-r2`, {});
    await expect(createTarget(cluster, described, identityOf('r2'), 1)).rejects.toThrow(/not of run r2/);
    expect(Object.keys((await call(url, 'GET', `/${definition.alias}*`)).body)).toEqual([
      `${definition.alias}-r2`,
    ]);
  });

  // The node for development has no templates.
  if (maybeUrl !== null && maybeUrl === inject('searchUrl')) {
    it('finds what an index template slipped in, and leaves nothing behind', async () => {
      const template = {
        aliases: { foreign: {} },
        mappings: { _source: { enabled: false }, properties: { zz: { type: 'date' } } },
      };
      const name = `${definition.alias}-template`;
      await call(url, 'PUT', `/_index_template/${name}`, {
        index_patterns: [`${definition.alias}-r1`],
        priority: 500,
        template,
      });
      try {
        const created = createTarget(cluster, described, identityOf('r1'), 1);
        await expect(created).rejects.toThrow(/index template.*alias "foreign".*"_source".*field "zz"/);
        expect((await call(url, 'GET', `/${definition.alias}*`)).body).toEqual({});
      } finally {
        await call(url, 'DELETE', `/_index_template/${name}`);
      }
    });
  }

  it('ends a pass: nobody writes through its alias any more, settings are restored, and again without harm', async () => {
    const names = await build('r1');
    expect(await settingsOf(names.index)).toMatchObject({
      'index.refresh_interval': '1s',
      'index.number_of_replicas': '0',
    });
    expect(await settingsOf(names.index)).not.toHaveProperty(['index.blocks.write']);
    const late = await bulk(url, passAliases(names, 1).writeAlias, [{ index: { _id: '3' } }, { id: 3 }]);
    expect(late).toMatchObject([{ status: 404, error: 'index_not_found_exception' }]);
    const again = await finalizeTarget(cluster, definition, names, 1, FINALIZE);
    // The pass has ended: there is nobody left to block.
    expect(Object.keys(again.steps)).toEqual(['refresh', 'settings', 'forcemerge', 'health', 'unblock']);
  });

  it('says what is wrong when the health is not reached in time', async () => {
    const wanting = { ...definition, index: { ...definition.index, numberOfReplicas: 1 } };
    const names = await createTarget(cluster, described, identityOf('r1'), 1);
    const short = { healthTimeoutMs: 100, clock: systemClock, signal };
    await expect(finalizeTarget(cluster, wanting, names, 1, short)).rejects.toThrow(
      /yellow after 0 s, green was asked for/,
    );
  });

  it('opens and ends a second pass', async () => {
    const names = await build('r1');
    await openPass(cluster, names, 2);
    await openPass(cluster, names, 2);
    await indexItems(url, client, names, 2);
    await finalizeTarget(cluster, definition, names, 2, FINALIZE);
    expect((await describeIndex(cluster, names.index))?.aliases).toEqual({});
    expect(await validate(names)).toMatchObject({ ok: true });
  });

  it('agrees with the table, value by value', async () => {
    const result = await validate(await build('r1'));
    expect(result.samples.differing).toEqual([]);
    expect(result).toMatchObject({
      ok: true,
      rows: 30,
      filtered: 1,
      documents: 29,
      deadLetters: 0,
      ranges: 3,
      mismatches: [],
    });
    expect(result.samples.keys.length).toBeGreaterThan(20);
  });

  it('reads the condition in the worker’s time zone, whatever the connection’s is', async () => {
    const where = `item.seen::date <> '2024-01-11' AND NOT item.hidden`;
    definition = itemsDefinition({ source: { ...definition.source, where } });
    described = await describeItems(client, definition);
    await client.query(`UPDATE items SET seen = '2024-01-11 01:00+00' WHERE id = 12`);
    await client.query(`UPDATE items SET hidden = true WHERE seen::date = '2024-01-11'`);
    const names = await build('r1');
    await client.query(`UPDATE items SET hidden = false WHERE id <> 30`);
    await client.query(`SET TimeZone = 'America/New_York'`);
    expect(await validate(names)).toMatchObject({ ok: true, mismatches: [] });
  });

  it('finds a lost document and names it', async () => {
    const names = await build('r1');
    await tamper(names.index, [{ delete: { _id: '12' } }]);
    const result = await validate(names);
    expect(result).toMatchObject({ ok: false, mismatches: [{ range: RANGES[1], expected: 10, found: 9 }] });
    const keys = await compareKeys({
      cluster,
      source: source(),
      described,
      names,
      range: { start: 10n, end: 20n },
      signal,
    });
    expect(keys).toEqual({ missing: { count: 1, first: ['12'] }, surplus: { count: 0, first: [] } });
  });

  it('finds documents beyond the table, at the ends of bigint too', async () => {
    const names = await build('r1');
    await client.query('DELETE FROM items WHERE id IN (-9223372036854775808, 9223372036854775807)');
    expect((await validate(names)).mismatches.map(({ range }) => range)).toEqual([RANGES[0], RANGES[2]]);
    const keys = await compareKeys({
      cluster,
      source: source(),
      described,
      names,
      range: { start: null, end: null },
      signal,
    });
    expect(keys.surplus).toEqual({ count: 2, first: ['-9223372036854775808', '9223372036854775807'] });
  });

  it.each([
    ['a changed text', `name = 'other'`, 'name'],
    ['the last digit of a numeric', 'price = price + 0.00000000000000000001', 'price'],
    ['a microsecond', `seen = seen + interval '1 microsecond'`, 'seen'],
    ['an element of an array', `tags = ARRAY['a']`, 'tags'],
    ['a null', 'made = NULL', 'made'],
  ])('finds %s by samples', async (_name, change, field) => {
    const names = await build('r1');
    await client.query(`UPDATE items SET ${change} WHERE id BETWEEN 11 AND 19`);
    const result = await validate(names);
    expect(result).toMatchObject({ ok: false, mismatches: [{ range: RANGES[1], expected: 10, found: 10 }] });
    expect(new Set(result.samples.differing.map((difference) => difference.field))).toEqual(new Set([field]));
  });

  it('counts dead letters, and refuses a row that is both dead letter and document', async () => {
    const names = await build('r1');
    const letter = (id: number) => [
      { index: { _id: String(id) } },
      { id, type: 'test', reason: 'planted', fields: null },
    ];
    await tamper(names.index, [{ delete: { _id: '7' } }]);
    await tamper(names.deadLetterIndex, [...letter(7), ...letter(8)]);
    expect(await validate(names)).toMatchObject({ ok: false, documents: 28, deadLetters: 2 });
    await tamper(names.deadLetterIndex, [{ delete: { _id: '8' } }]);
    expect(await validate(names)).toMatchObject({ ok: true, documents: 28, deadLetters: 1 });
    const keys = await compareKeys({
      cluster,
      source: source(),
      described,
      names,
      range: RANGES[0] ?? { start: null, end: null },
      signal,
    });
    expect(keys.missing.count).toBe(0);
  });

  it('accepts JSON that jsonb does not take', async () => {
    await client.query(String.raw`UPDATE items SET extra = '{"a": "x\u0000y"}' WHERE id = 13`);
    const names = await createTarget(cluster, described, identityOf('r1'), 1);
    await client.query(`CREATE TEMP TABLE kept AS SELECT * FROM items WHERE id = 13`);
    await client.query(`UPDATE items SET extra = 'null' WHERE id = 13`);
    await indexItems(url, client, names, 1);
    await client.query(`UPDATE items SET extra = kept.extra FROM kept WHERE items.id = kept.id`);
    await finalizeTarget(cluster, definition, names, 1, FINALIZE);
    expect((await validate(names)).samples.differing).toEqual([
      { key: 13n, field: 'extra', expected: String.raw`{"a":"x\u0000y"}`, found: 'null' },
    ]);
  });

  it('moves the alias, keeps its filter and routing, and twice is once', async () => {
    const [first, second] = [await build('r1'), await build('r2')];
    expect(await promote(first)).toMatchObject({ removed: [], added: { index: first.index } });
    const config = {
      filter: { term: { 'name.keyword': 'item 2' } },
      index_routing: 'r',
      search_routing: 'r',
    };
    await call(url, 'POST', '/_aliases', {
      actions: [{ add: { index: first.index, alias: definition.alias, ...config } }],
    });
    const expected = await readAlias(cluster, definition.alias);
    const move = { alias: definition.alias, index: second.index, expected };
    const record = await promoteTarget(cluster, move);
    expect(record).toMatchObject({
      removed: [{ index: first.index, config }],
      added: { index: second.index, config },
    });
    expect(await promoteTarget(cluster, move)).toMatchObject({ removed: [{ index: first.index, config }] });
    expect(await readAlias(cluster, definition.alias)).toEqual([{ index: second.index, config }]);
    expect(metaOf((await describeIndex(cluster, second.index)) ?? { mappings: {} })?.promoted_at).toMatch(
      /Z$/,
    );
  });

  it('moves an alias that several indexes had, one of them its write index', async () => {
    const [first, second, third] = [await build('r1'), await build('r2'), await build('r3')];
    const alias = definition.alias;
    await call(url, 'POST', '/_aliases', {
      actions: [
        { add: { index: first.index, alias, is_write_index: false } },
        { add: { index: second.index, alias, is_write_index: true } },
      ],
    });
    const record = await promote(third);
    expect(await readAlias(cluster, alias)).toEqual([
      { index: third.index, config: { is_write_index: true } },
    ]);
    await rollbackPromotion(cluster, record);
    expect((await holders()).sort()).toEqual([first.index, second.index]);
  });

  it('refuses to move an alias that somebody else moved meanwhile', async () => {
    const [first, second] = [await build('r1'), await build('r2')];
    await promote(first);
    const move = { alias: definition.alias, index: second.index, expected: [] };
    await expect(promoteTarget(cluster, move)).rejects.toThrow(new RegExp(`no index, now to ${first.index}`));
    expect(await holders()).toEqual([first.index]);
  });

  it('rolls back all of a promotion or nothing, and twice is once', async () => {
    const [first, second] = [await build('r1'), await build('r2')];
    const begin = await promote(first);
    const record = await promote(second);
    await expect(rollbackPromotion(cluster, begin)).rejects.toThrow(/nothing to roll back to/);
    const rolledBack = await rollbackPromotion(cluster, record);
    expect(rolledBack).toMatchObject({
      left: second.index,
      restored: [first.index],
      staleness: [{ index: first.index, read_from: '2024-01-01T00:00:00.000Z' }],
    });
    expect(await holders()).toEqual([first.index]);
    expect(await rollbackPromotion(cluster, record)).toMatchObject({ restored: [first.index] });
    await promote(second);
    await deleteTarget(cluster, first, 'r1');
    await expect(rollbackPromotion(cluster, record)).rejects.toThrow(/deleted: nothing is changed/);
    expect(await holders()).toEqual([second.index]);
  });

  it('retains the newest promoted index, and after a rollback the one that readers came from', async () => {
    const [first, second] = [await build('r1'), await build('r2')];
    await promote(first);
    const record = await promote(second);
    await rollbackPromotion(cluster, record);
    const third = await build('r3');
    const rule = { alias: definition.alias, fleet: 'test', claimedRun: null, retain: 1 };
    expect((await previewRetention(cluster, rule)).deleted).toContain(second.index);
    await promote(third);
    const retention = await retainIndexes(cluster, { ...rule, current: third.index }, signal);
    expect(retention).toEqual({ kept: [first.index], deleted: [second.index, second.deadLetterIndex] });
    expect(await retainIndexes(cluster, { ...rule, current: third.index }, signal)).toEqual({
      kept: [first.index],
      deleted: [],
    });
    const left = Object.keys((await call(url, 'GET', `/${definition.alias}-*`)).body).sort();
    expect(left).toEqual(
      [first, third].flatMap(({ index, deadLetterIndex }) => [index, deadLetterIndex]).sort(),
    );
  });

  it('deletes only indexes of the run that readers do not use', async () => {
    const names = await build('r1');
    await expect(deleteTarget(cluster, names, 'r2')).rejects.toThrow(/not of run r2/);
    await promote(names);
    await expect(deleteTarget(cluster, names, 'r1')).rejects.toThrow(/serves/);
    expect(await targetState(cluster, names)).toBe('present');
    const other = await build('r2');
    expect(await deleteTarget(cluster, other, 'r2')).toEqual([other.index, other.deadLetterIndex]);
    expect(await deleteTarget(cluster, other, 'r2')).toEqual([]);
    expect(await targetState(cluster, other)).toBe('absent');
  });

  it('names every fault before anything is created', async () => {
    await preflight(cluster, definition);
    await call(url, 'PUT', `/${definition.alias}`, {});
    await expect(preflight(cluster, definition)).rejects.toThrow(/is a concrete index/);
  });
});
