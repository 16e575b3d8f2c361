import { describe, expect, it } from 'vitest';
import { errorOf, resultOf } from '../support/run-command.ts';
import { documentsOf } from '../support/run-documents.ts';
import { type SearchProxy, startProxy } from '../support/run-proxy.ts';
import { type RunSetup, SEARCH_URL, setUpRun, type TestScope } from '../support/run-setup.ts';
import { PLACES, placesDatabase, ROWS } from '../support/run-table.ts';
import { sampled } from '../support/sampled.ts';
import { call } from '../support/search-calls.ts';

/** A proxy stands in for a cluster under load, with a snapshot or a rule, and for a load balancer before it. */

const database = placesDatabase();
const SNAPSHOT = {
  status: 400,
  type: 'snapshot_in_progress_exception',
  reason: 'Cannot delete indices that are being snapshotted',
};
const RULE = { status: 403, type: 'forbidden_by_rule', reason: 'indexes may not be deleted by day' };
const BUSY = { status: 429, type: 'circuit_breaking_exception', reason: 'Data too large' };

async function setUp(
  scope: TestScope,
  { waitingTimeoutMs = 60_000, definition = {} }: { waitingTimeoutMs?: number; definition?: object } = {},
): Promise<{ setup: RunSetup; proxy: SearchProxy }> {
  const proxy = await startProxy(scope, SEARCH_URL);
  const setup = await setUpRun(scope, {
    databaseUrl: database.url(),
    definition: { ...PLACES, retain: 0, ...definition },
    settings: {
      target: { url: proxy.url, waiting_timeout_ms: waitingTimeoutMs },
      ranges: { count: 2 },
      workers: { count: 1 },
    },
  });
  return { setup, proxy };
}

const deletes = (method: string, path: string): boolean => method === 'DELETE' && !path.includes('/_');

describe('after the alias has moved', { timeout: 120_000 }, () => {
  const REFUSALS: readonly (readonly [string, typeof RULE])[] = [
    ['a snapshot under way', SNAPSHOT],
    ['a rule of the cluster', RULE],
  ];
  sampled(REFUSALS, 0)(
    'a run repeats a deletion until it is done, when it is refused for a while by %s',
    async ([, refusal], scope) => {
      const { setup, proxy } = await setUp(scope);
      resultOf(await setup.run('run', '--run-key', 'first'));
      proxy.intercept = (method, path) =>
        deletes(method, path) && proxy.refused.length < 4 ? refusal : null;

      const ended = await setup.run('run', '--run-key', 'second');

      expect(resultOf(ended)).toMatchObject({ status: 'done' });
      expect(proxy.refused).toHaveLength(4);
      expect(await setup.indexes()).toHaveLength(2);
    },
  );

  it('a run that may not delete an earlier index ends well, names it and frees the fleet, and the next run deletes it', async (scope) => {
    const { setup, proxy } = await setUp(scope, { waitingTimeoutMs: 3_000 });
    resultOf(await setup.run('run', '--run-key', 'first'));
    const [first = ''] = await setup.served();
    proxy.intercept = (method, path) => (deletes(method, path) ? RULE : null);

    const ended = await setup.run('run', '--run-key', 'second');

    expect(resultOf(ended)).toMatchObject({ status: 'done' });
    expect(ended.stderr).toContain(`the earlier index ${first} could not be deleted`);
    expect(ended.stderr).toContain('indexes may not be deleted by day');
    expect(resultOf(await setup.run('status'))).toMatchObject({ held_by: null });
    proxy.intercept = () => null;
    resultOf(await setup.run('run', '--run-key', 'third'));
    expect(await setup.indexes()).toHaveLength(2);
  });

  it('a run waits for a cluster that refuses every call, longer than a few tries take', {
    tags: 'long',
  }, async (scope) => {
    const { setup, proxy } = await setUp(scope);
    const looksForEarlier = (path: string): boolean => path.startsWith(`/${setup.alias}-*?expand`);
    proxy.intercept = (_method, path) => (looksForEarlier(path) && proxy.refused.length < 7 ? BUSY : null);

    const ended = await setup.run('run', '--run-key', 'first');

    expect(resultOf(ended)).toMatchObject({ status: 'done' });
    expect(proxy.refused).toHaveLength(7);
    expect(ended.stderr).toMatch(/waiting for the search cluster.*circuit_breaking_exception/);
  });
});

describe('a cluster that stays busy for longer than a command waits', { timeout: 120_000 }, () => {
  it('ends a run with what is done, where the alias is and what to do, and then the same command does what is left', async (scope) => {
    const { setup, proxy } = await setUp(scope, { waitingTimeoutMs: 1_000 });
    let isBusy = false;
    proxy.intercept = (_method, path) => {
      isBusy ||= path.endsWith('/_block/write');
      return isBusy ? BUSY : null;
    };

    const told = errorOf(await setup.run('run', '--run-key', 'k'), 1);

    expect(told).toMatch(/circuit_breaking_exception: Data too large \(tried \d times in \d s\)/);
    expect(told).toContain(
      'Done: plan, claim, create-index, reindex. The alias has not moved. Give the same command again when this has passed: it does what is left.',
    );
    proxy.intercept = () => null;
    expect(resultOf(await setup.run('run', '--run-key', 'k'))).toMatchObject({ status: 'done' });
  });

  it('ends a rollback with what to do, and then the same command moves the alias back', {
    tags: 'long',
  }, async (scope) => {
    const { setup, proxy } = await setUp(scope, { waitingTimeoutMs: 1_000, definition: { retain: 1 } });
    for (const key of ['first', 'second']) resultOf(await setup.run('run', '--run-key', key));
    const before = await setup.served();
    proxy.intercept = () => BUSY;

    const told = errorOf(await setup.run('rollback', '--run-key', 'second'), 1);

    expect(told).toContain('Give the same command again when this has passed.');
    proxy.intercept = () => null;
    expect(resultOf(await setup.run('rollback', '--run-key', 'second'))).toMatchObject({
      status: 'rolled back',
    });
    expect(await setup.served()).not.toEqual(before);
  });
});

describe('behind a load balancer that gives up on every long call', { timeout: 120_000 }, () => {
  it('a merge and a clearing are sent once, and looked at until they are done', {
    tags: 'long',
  }, async (scope) => {
    const { setup, proxy } = await setUp(scope, { definition: { index: INDEX } });
    const long: string[] = [];
    proxy.givesUp = ({ path }) => /_forcemerge|_delete_by_query/.test(path);
    proxy.beforeCall = async ({ path }) => {
      if (/_forcemerge|_delete_by_query/.test(path)) long.push(path.split('?')[0] ?? '');
      return true;
    };
    for (const phase of ['claim', 'create-index', 'reindex', 'finalize'])
      resultOf(await setup.run(phase, '--run-key', 'k'));
    const [target = ''] = await setup.indexes();
    await loseDocument(target, 77);

    resultOf(await setup.run('validate', '--run-key', 'k'));

    expect(Object.keys(await documentsOf(target))).toHaveLength(ROWS);
    expect(long.filter((path) => path.includes('_delete_by_query'))).toEqual([
      `/${target}/_delete_by_query`,
      `/${target}-dead-letters/_delete_by_query`,
    ]);
    expect(long.filter((path) => path.includes('_forcemerge'))).toHaveLength(2);
  });
});

it('a run that waits for its cluster leaves within seconds of a signal', {
  timeout: 60_000,
}, async (scope) => {
  const { setup, proxy } = await setUp(scope, { waitingTimeoutMs: 600_000 });
  proxy.intercept = (_method, path) => (path === '/' ? null : BUSY);
  const run = setup.start('run', '--run-key', 'k');
  await run.said('waiting for the search cluster');
  run.child.kill('SIGTERM');
  expect((await run.ended).code).toBe(143);
});

const INDEX = { number_of_replicas: 0, forcemerge_segments: 1 };

async function loseDocument(index: string, key: number): Promise<void> {
  const query = { term: { id: key } };
  await call(SEARCH_URL, 'POST', `/${index}/_delete_by_query?refresh=true`, { query });
}
