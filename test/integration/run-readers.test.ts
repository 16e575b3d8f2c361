import { describe, expect, inject, it } from 'vitest';
import { errorOf, resultOf } from '../support/run-command.ts';
import { sql } from '../support/run-documents.ts';
import { PLACES, placesDatabase, ROWS } from '../support/run-table.ts';
import { type RunSetup, SEARCH_URL, setUpRun, type TestScope } from '../support/run-setup.ts';
import { onlyTarget } from '../support/run-values.ts';
import { sampled } from '../support/sampled.ts';
import { bulk, call, count, uniqueName } from '../support/search-calls.ts';

/** What readers find through the alias decides whether it moves, not only what the new index holds. */

const database = placesDatabase();
const SMALL = { workers: { count: 1 } };
/** The development node has one shard for each index, so nothing is routed there. */
const IS_REAL = inject('searchUrl') !== null;

/** An index that somebody made by hand, with documents, under the alias with these properties. */
async function handMade(
  scope: TestScope,
  setup: RunSetup,
  name: string,
  options: { readonly documents: number; readonly properties?: Readonly<Record<string, unknown>> },
): Promise<string> {
  const index = `${setup.alias}-${name}`;
  const mappings = { properties: { id: { type: 'long' }, name: { type: 'text' } } };
  scope.onTestFinished(async () => void (await call(SEARCH_URL, 'DELETE', `/${index}`)));
  await call(SEARCH_URL, 'PUT', `/${index}`, { mappings, settings: { number_of_replicas: 0 } });
  const writing = `${index}-w`;
  const add = (alias: string, properties = {}) =>
    call(SEARCH_URL, 'POST', '/_aliases', { actions: [{ add: { index, alias, ...properties } }] });
  await add(writing);
  const lines = Array.from({ length: options.documents }, (_, i) => [
    { index: { _id: String(i) } },
    { id: i, name: 'by hand' },
  ]).flat();
  if (lines.length > 0) await bulk(SEARCH_URL, writing, lines);
  await call(SEARCH_URL, 'DELETE', `/${index}/_alias/${writing}`);
  await call(SEARCH_URL, 'POST', `/${index}/_refresh`);
  await add(setup.alias, options.properties);
  return index;
}

const places = (scope: TestScope, changes: object = {}, settings: object = {}): Promise<RunSetup> =>
  setUpRun(scope, {
    databaseUrl: database.url(),
    definition: { ...PLACES, ...changes },
    settings: { ...SMALL, ...settings },
  });
const shards = (number: number) => ({
  index: { number_of_replicas: 0, settings: { number_of_shards: number } },
});

describe('an alias whose properties hide documents', () => {
  const ROUTINGS: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['routing', { routing: 'r' }],
    ['search_routing', { search_routing: 'r' }],
    ['search_routing of several values', { search_routing: 'r,s' }],
    ['index_routing', { index_routing: 'r' }],
  ];
  sampled(
    ROUTINGS.filter(() => IS_REAL),
    1,
  )(
    'does not move with %s to an index of several shards, and both numbers are said',
    async ([, properties], scope) => {
      const setup = await places(scope, shards(5));
      const old = await handMade(scope, setup, 'old', { documents: ROWS, properties });
      const refused = errorOf(await setup.run('run', '--run-key', 'k'), 1);
      expect(refused).toMatch(
        'index_routing' in properties
          ? /Of 1000 documents that are asked for by id, the alias gives \d+\./
          : new RegExp(`readers would find \\d+ of ${ROWS} documents of .* Now they find \\d+\\.`),
      );
      expect(await setup.served()).toEqual([old]);
      // The same run goes on where somebody has taken the routing away.
      const again = { index: old, alias: setup.alias };
      await call(SEARCH_URL, 'POST', '/_aliases', { actions: [{ remove: again }, { add: again }] });
      const { index } = onlyTarget(resultOf(await setup.run('run', '--run-key', 'k')));
      expect(await setup.served()).toEqual([index]);
      expect(await count(SEARCH_URL, setup.alias)).toBe(ROWS);
      expect(await aliasesOf(String(index))).toEqual([setup.alias]);
    },
  );

  it('moves with a filter, which it keeps', async (scope) => {
    const setup = await places(scope);
    const properties = { filter: { range: { id: { lt: 1_500 } } } };
    await handMade(scope, setup, 'old', { documents: ROWS, properties });
    const { index } = onlyTarget(resultOf(await setup.run('run')));
    expect(await setup.served()).toEqual([index]);
    expect(await count(SEARCH_URL, setup.alias)).toBe(1_499);
  });

  it('does not move with a filter that fits no document of the new index', async (scope) => {
    const setup = await places(scope);
    const properties = { filter: { match: { name: 'hand' } } };
    const old = await handMade(scope, setup, 'old', { documents: 10, properties });
    const refused = errorOf(await setup.run('run'), 1);
    expect(refused).toContain(`${old}, which ${setup.alias} serves, has 10 documents through the alias`);
    expect(refused).toContain('0 fit the filter of the alias, {"match":{"name":"hand"}}');
    expect(await setup.served()).toEqual([old]);
  });

  it.runIf(IS_REAL)('does not move with a filter that the new index refuses', async (scope) => {
    const setup = await places(scope);
    const old = await handMade(scope, setup, 'old', { documents: 10 });
    const corner = { top: 1, left: 0, bottom: 0, right: 1 };
    await call(SEARCH_URL, 'PUT', `/${old}/_mapping`, { properties: { place: { type: 'geo_point' } } });
    const add = { index: old, alias: setup.alias, filter: { geo_bounding_box: { place: corner } } };
    expect(await call(SEARCH_URL, 'POST', '/_aliases', { actions: [{ add }] })).toMatchObject({
      status: 200,
    });
    const refused = errorOf(await setup.run('run'), 1);
    expect(refused).toContain(`the alias ${setup.alias} has filter`);
    expect(refused).toContain('Does the filter name a field that the new index does not have');
    expect(await setup.served()).toEqual([old]);
  });

  it.runIf(IS_REAL)('keeps its other properties, which hide nothing', async (scope) => {
    const setup = await places(scope, shards(3));
    const properties = { is_hidden: true, is_write_index: true };
    await handMade(scope, setup, 'old', { documents: 10, properties });
    const { index } = onlyTarget(resultOf(await setup.run('run')));
    const { body } = await call(SEARCH_URL, 'GET', `/${String(index)}/_alias`);
    expect(body[String(index)]).toEqual({ aliases: { [setup.alias]: properties } });
  });

  it('does not move away from a closed index, until a person accepts it', { tags: 'long' }, async (scope) => {
    const setup = await places(scope);
    const old = await handMade(scope, setup, 'old', { documents: 10 });
    const closed = await call(SEARCH_URL, 'POST', `/${old}/_close`);
    if (closed.status !== 200) return; // The development node closes no index.
    expect(errorOf(await setup.run('run', '--run-key', 'k'), 1)).toContain('cannot be counted');
    expect(await setup.served()).toEqual([old]);
    resultOf(await setup.run('run', '--run-key', 'k', '--allow-shrink'));
    expect(errorOf(await setup.run('rollback'), 1)).toContain(`POST /${old}/_open`);
    await call(SEARCH_URL, 'POST', `/${old}/_open`);
    resultOf(await setup.run('rollback'));
    expect(await setup.served()).toEqual([old]);
  });
});

describe('an alias with indexes that the fleet did not build', () => {
  it('moves from the one that was made by hand, for so an alias comes to a fleet', async (scope) => {
    const setup = await places(scope);
    await handMade(scope, setup, 'old', { documents: 10 });
    const { index } = onlyTarget(resultOf(await setup.run('run')));
    expect(await setup.served()).toEqual([index]);
  });

  it("moves away from one beside the fleet's own only with --replace-foreign", async (scope) => {
    const setup = await places(scope);
    const first = onlyTarget(resultOf(await setup.run('run')))['index'];
    const archive = await handMade(scope, setup, 'archive', { documents: 10 });
    const refused = errorOf(await setup.run('run', '--run-key', 'k'), 1);
    expect(refused).toContain(`${archive} (no fleet built it)`);
    expect(refused).toContain('--replace-foreign');
    expect(new Set(await setup.served())).toEqual(new Set([first, archive]));
    const second = onlyTarget(resultOf(await setup.run('run', '--run-key', 'k', '--replace-foreign')));
    expect(await setup.served()).toEqual([second['index']]);
  });

  it('does not move when somebody has moved it while the run built its index', {
    tags: 'long',
  }, async (scope) => {
    const setup = await places(scope);
    resultOf(await setup.run('run'));
    for (const phase of ['claim', 'create-index', 'reindex', 'finalize', 'validate'])
      resultOf(await setup.run(phase, '--run-key', 'k'));
    const [first = ''] = await setup.served();
    const other = await handMade(scope, setup, 'other', { documents: ROWS });
    await call(SEARCH_URL, 'DELETE', `/${first}/_alias/${setup.alias}`);
    expect(errorOf(await setup.run('promote', '--run-key', 'k'), 1)).toContain(
      `it served ${first} when the run claimed it, and now serves ${other}`,
    );
    expect(await setup.served()).toEqual([other]);
    resultOf(await setup.run('promote', '--run-key', 'k', '--replace-foreign'));
    expect(await setup.served()).not.toEqual([other]);
  });
});

it.runIf(IS_REAL)('a data stream of the name of the alias is refused by plan', async (scope) => {
  const setup = await places(scope);
  const template = `/_index_template/${setup.alias}-template`;
  const stream = `/_data_stream/${setup.alias}`;
  scope.onTestFinished(async () => {
    await call(SEARCH_URL, 'DELETE', stream);
    await call(SEARCH_URL, 'DELETE', template);
  });
  const body = { index_patterns: [setup.alias], data_stream: {}, priority: 900 };
  expect(await call(SEARCH_URL, 'PUT', template, body)).toMatchObject({ status: 200 });
  expect(await call(SEARCH_URL, 'PUT', stream)).toMatchObject({ status: 200 });
  expect(errorOf(await setup.run('plan'), 1)).toContain(`${setup.alias} is a data stream`);
});

describe('a table that lost its rows', () => {
  const emptied = async (scope: TestScope, kept: number, changes: object = {}) => {
    const table = uniqueName('things').replace('-', '_');
    await sql(
      database.url(),
      `CREATE TABLE ${table} AS TABLE places; ALTER TABLE ${table} ADD PRIMARY KEY (id); ANALYZE ${table}`,
    );
    const source = { table, key: 'id' };
    const setup = await places(scope, { source, document: { name: `${table}.name` }, retain: 0, ...changes });
    const first = String(onlyTarget(resultOf(await setup.run('run')))['index']);
    await sql(database.url(), `DELETE FROM ${table} WHERE id > ${kept}; ANALYZE ${table}`);
    return { setup, first };
  };

  it('does not replace the full index, until a person accepts it, and then the full one stays for a rollback', {
    timeout: 120_000,
  }, async (scope) => {
    const { setup, first } = await emptied(scope, 0);
    const refused = errorOf(await setup.run('run', '--run-key', 'k'), 1);
    expect(refused).toContain(`${first}, which ${setup.alias} serves, has ${ROWS} documents`);
    expect(refused).toMatch(/and \S+ has 0: an index without documents never replaces/);
    expect(await setup.served()).toEqual([first]);
    const done = resultOf(await setup.run('run', '--run-key', 'k', '--allow-shrink'));
    const { index } = onlyTarget(done);
    expect(await setup.served()).toEqual([index]);
    resultOf(await setup.run('rollback'));
    expect(await count(SEARCH_URL, setup.alias)).toBe(ROWS);
    resultOf(await setup.run('promote', '--run-key', 'k', '--allow-shrink'));
    expect(await setup.served()).toEqual([index]);
    // Empty again, and readers lose nothing. What had documents still stays.
    resultOf(await setup.run('run', '--run-key', 'again'));
    expect(await setup.indexes()).toContain(first);
  });

  it('does not replace the full index when it lost more than half of them', {
    tags: 'long',
  }, async (scope) => {
    const { setup, first } = await emptied(scope, ROWS / 2 - 1);
    expect(errorOf(await setup.run('run', '--run-key', 'k'), 1)).toContain(
      '50.05 % are lost, more than promote.shrink_limit 50',
    );
    expect(await setup.served()).toEqual([first]);
    resultOf(await setup.run('promote', '--run-key', 'k', '--allow-shrink'));
    resultOf(await setup.run('run', '--run-key', 'k'));
    expect(await setup.indexes()).toContain(first);
  });

  it('replaces the full index within the limit of the definition, and the full one goes as `retain` says', async (scope) => {
    const { setup, first } = await emptied(scope, ROWS / 10, { promote: { shrink_limit: 90 } });
    const { index } = onlyTarget(resultOf(await setup.run('run')));
    expect(await setup.served()).toEqual([index]);
    expect(await setup.indexes()).not.toContain(first);
  });
});

async function aliasesOf(index: string): Promise<string[]> {
  const { body } = await call(SEARCH_URL, 'GET', `/${index}/_alias`);
  return Object.keys((body[index] as { aliases: object }).aliases);
}
