import { describe, expect, it } from 'vitest';
import { errorOf, resultOf } from '../support/run-command.ts';
import { documentsOf, documentVersions, sql } from '../support/run-documents.ts';
import { rangesDone, stateOf } from '../support/run-journal.ts';
import { startProxy } from '../support/run-proxy.ts';
import { type RunSetup, SEARCH_URL, setUpRun, type TestScope } from '../support/run-setup.ts';
import { gatedPlaces, PLACES, placesDatabase, ROWS } from '../support/run-table.ts';
import { bulk, call } from '../support/search-calls.ts';

/** What happens to cluster and database while a run is under way. */

const database = placesDatabase();
const WHOLE = { status: 'done', rows: ROWS, targets: [{ indexed: ROWS, dead_letters: 0 }] };

const isBulk = (path: string): boolean => path.includes('/_bulk');

async function behindGate(scope: TestScope, url = SEARCH_URL) {
  const { gate, definition } = await gatedPlaces(scope, database.url());
  const setup = await setUpRun(scope, {
    databaseUrl: database.url(),
    definition,
    settings: { target: { url }, ranges: { count: 8 } },
  });
  await gate.shut();
  return { gate, setup };
}

describe('a run goes on', { timeout: 120_000 }, () => {
  it('when the cluster refuses bulks for some seconds', async (scope) => {
    const proxy = await startProxy(scope, SEARCH_URL);
    proxy.intercept = (_method, path) =>
      isBulk(path) && proxy.refused.length < 6
        ? { status: 429, type: 'rejected_execution_exception', reason: 'the queue is full' }
        : null;
    const setup = await setUpRun(scope, {
      databaseUrl: database.url(),
      definition: PLACES,
      settings: { target: { url: proxy.url }, ranges: { count: 4 } },
    });

    const result = resultOf(await setup.run('run'));

    expect(proxy.refused).toHaveLength(6);
    expect(result).toMatchObject({ ...WHOLE, retries: 6 });
    expect(Object.keys(await documentsOf(setup.alias))).toHaveLength(ROWS);
  });

  it('when the cluster is gone for some seconds and the database cuts its connections', async (scope) => {
    const proxy = await startProxy(scope, SEARCH_URL);
    const { gate, setup } = await behindGate(scope, proxy.url);
    const run = setup.start('run');
    await rangesDone(setup, 4);

    await proxy.down();
    await gate.open();
    await run.said('"waiting_for":["cluster"]');
    await sql(
      database.url(),
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name LIKE 'reindex-fleet%'`,
    );
    await proxy.up();

    expect(resultOf(await run.ended)).toMatchObject(WHOLE);
    expect(Object.keys(await documentsOf(setup.alias))).toHaveLength(ROWS);
  });
});

it('a run stops at zero with the cluster’s words at a foreign write block, and finishes once the block is lifted', {
  timeout: 120_000,
}, async (scope) => {
  const { gate, setup } = await behindGate(scope);
  const run = setup.start('run');
  await rangesDone(setup, 4);
  const [target = ''] = await setup.indexes();

  await call(SEARCH_URL, 'PUT', `/${target}/_block/write`);
  await gate.open();
  expect(errorOf(await run.ended, 1)).toContain('cluster_block_exception');
  expect(await setup.workers()).toEqual([]);
  expect((await stateOf(setup))?.desired).toBe(0);
  expect(await setup.served()).toEqual([]);

  await call(SEARCH_URL, 'PUT', `/${target}/_settings`, { 'index.blocks.write': null });
  expect(resultOf(await setup.run('run'))).toMatchObject(WHOLE);
  const versions = await documentVersions(setup.alias);
  expect(Object.keys(versions)).toHaveLength(ROWS);
  expect(versions).toMatchObject({ 1: 1, [ROWS / 2]: 1 });
});

describe('a change of the index before its validation', { timeout: 120_000 }, () => {
  /** A run that stands before `validate`; gives its target's name. */
  async function finalized(setup: RunSetup): Promise<string> {
    for (const phase of ['claim', 'create-index', 'reindex', 'finalize'])
      resultOf(await setup.run(phase, '--run-key', 'k'));
    const [target = ''] = await setup.indexes();
    return target;
  }

  async function change(index: string, ...lines: readonly unknown[]): Promise<void> {
    const outcomes = await bulkOn(index, lines);
    expect(outcomes.map(({ error }) => error)).toEqual(outcomes.map(() => undefined));
    await call(SEARCH_URL, 'POST', `/${index}/_refresh`);
  }

  /** Through an alias of its own, as `bulk` wants one. */
  async function bulkOn(index: string, lines: readonly unknown[]) {
    const alias = `${index}-by-hand`;
    await call(SEARCH_URL, 'POST', '/_aliases', { actions: [{ add: { index, alias } }] });
    const outcomes = await bulk(SEARCH_URL, alias, lines);
    await call(SEARCH_URL, 'POST', '/_aliases', { actions: [{ remove: { index, alias } }] });
    return outcomes;
  }

  const settings = { workers: { count: 1 }, ranges: { count: 4 } };
  const keys = (first: number, last: number): number[] =>
    Array.from({ length: last - first + 1 }, (_, i) => first + i);

  it('is found by count and repaired by reading again, for a lost and for a changed document', async (scope) => {
    const setup = await setUpRun(scope, { databaseUrl: database.url(), definition: PLACES, settings });
    const target = await finalized(setup);
    await change(target, { delete: { _id: '777' } });
    // Every row of the first range, for only some of them are samples.
    await change(
      target,
      ...keys(1, ROWS / 4).flatMap((id) => [{ index: { _id: String(id) } }, { id, name: 'forged' }]),
    );

    const ended = await setup.run('run', '--run-key', 'k');

    expect(ended.stderr).toContain('2 ranges did not match and are read again once');
    expect(resultOf(ended)).toMatchObject({
      ...WHOLE,
      targets: [{ indexed: ROWS, dead_letters: 0, read_again: { rows: ROWS / 2 } }],
    });
    expect(await documentsOf(setup.alias)).toMatchObject({
      777: { name: 'place 0777' },
      1: { name: 'place 0001' },
    });
  });

  it('does not outlive a second reading, because the range is emptied before', {
    tags: 'long',
  }, async (scope) => {
    const definition = { ...PLACES, source: { ...PLACES.source, changed_at: 'places.changed_at' } };
    const setup = await setUpRun(scope, { databaseUrl: database.url(), definition, settings });
    const target = await finalized(setup);
    // With external versions a deletion counts as newer than what it deleted.
    await change(target, { delete: { _id: '777' } });
    await change(target, { index: { _id: '1999999' } }, { id: 1_999_999, name: 'nobody wrote this' });

    expect(resultOf(await setup.run('run', '--run-key', 'k'))).toMatchObject(WHOLE);

    const documents = await documentsOf(setup.alias);
    expect(documents).toMatchObject({ 777: { name: 'place 0777' } });
    expect(Object.keys(documents)).toHaveLength(ROWS);
  });

  it('is refused with its keys when reading again cannot repair it, and nothing is promoted', async (scope) => {
    // Says one thing to workers and another to validation, so no index ever holds what it says there.
    const odd = `CASE WHEN current_setting('application_name') = 'reindex-fleet worker' THEN 1 ELSE 0 END`;
    const definition = { ...PLACES, source: { ...PLACES.source, where: `places.id % 2 = ${odd}` } };
    const setup = await setUpRun(scope, { databaseUrl: database.url(), definition, settings });

    const refusal = errorOf(await setup.run('run', '--run-key', 'k'), 1);

    expect(refusal).toMatch(/does not hold what .*places holds/);
    expect(refusal).toMatch(/missing \d+: \d+, /);
    expect(refusal).toMatch(/not in the table \d+: \d+, /);
    expect(await setup.served()).toEqual([]);
  });
});
