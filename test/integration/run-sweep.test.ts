import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { systemClock } from '../../orchestrator/clock.ts';
import { SearchCluster } from '../../orchestrator/index/cluster.ts';
import { certainStore } from '../../orchestrator/journal/certain-store.ts';
import { currentClaim } from '../../orchestrator/journal/claims.ts';
import { openFileStore } from '../../orchestrator/journal/file-store.ts';
import { describeThisProcess } from '../../orchestrator/journal/holder.ts';
import { FleetLock } from '../../orchestrator/journal/lock.ts';
import { abandonRun } from '../../orchestrator/run/abandon-run.ts';
import { resultOf } from '../support/run-command.ts';
import { rangesDone } from '../support/run-journal.ts';
import { type RunSetup, setUpRun, type TestScope } from '../support/run-setup.ts';
import { gatedPlaces, PLACES, placesDatabase, ROWS } from '../support/run-table.ts';
import { ScriptedFleet, view } from '../support/scripted-fleet.ts';

/** What ends a fleet without its run: `sweep` at any time, `abandon` for good. */

const database = placesDatabase();
const searchUrl = inject('developmentUrl');

it('sweep leaves a live run alone even with poor settings, and a dead run can be resumed afterwards', {
  timeout: 180_000,
}, async (scope) => {
  const { gate, definition } = await gatedPlaces(scope, database.url());
  const setup = await setUpRun(scope, {
    databaseUrl: database.url(),
    searchUrl,
    definition,
    settings: { ranges: { count: 8 } },
  });
  const file = join(setup.folder, 'places.yaml');
  /** As a schedule sweeps from another place: without database, cluster and definitions. */
  const sweep = async () => {
    await rename(file, `${file}.away`);
    const nowhere = ['--source', 'postgres://nobody@127.0.0.1:1/none', '--target', 'http://127.0.0.1:1'];
    const ended = await setup.run('sweep', ...nowhere);
    await rename(`${file}.away`, file);
    return { result: resultOf(ended), said: ended.log.map(({ msg }) => msg).join('\n') };
  };

  const empty = await sweep();
  expect(empty.result).toMatchObject({ status: 'swept', held_by: null, process: null, found: [], ended: [] });
  expect(empty.said).toContain('the fleet was at zero');

  await gate.shut();
  const run = setup.start('run', '--run-key', 'k');
  await rangesDone(setup, 4);
  const beside = await sweep();
  expect(beside.result).toMatchObject({
    status: 'nothing to sweep',
    held_by: 'k',
    process: { pid: run.child.pid, purpose: 'reindex-fleet run' },
    found: [],
  });
  expect(beside.said).toContain(
    `nothing to sweep: a live process drives the run with key k (reindex-fleet run, process ${run.child.pid} on `,
  );

  run.child.kill('SIGKILL');
  await run.ended;
  const behind = await sweep();
  expect(behind.result).toMatchObject({ status: 'swept', held_by: 'k', process: null });
  expect(behind.said).toContain('`reindex-fleet run` carries the run with key k on');
  await gate.open();
  expect(resultOf(await setup.run('run', '--run-key', 'k'))).toMatchObject({ status: 'done', rows: ROWS });
});

it('abandon brings the fleet to zero before it deletes the index', async (scope) => {
  const { setup, abandon } = await setUpAbandon(scope);
  const fleet = new ScriptedFleet([view(2, 'i-1', 'i-2')]);
  const indexes: number[] = [];
  const terminate = fleet.terminate.bind(fleet);
  fleet.terminate = async (instance) => {
    indexes.push((await setup.indexes()).length);
    await terminate(instance);
  };
  expect(await abandon(fleet)).toMatchObject({ runKey: 'k' });
  expect(fleet.calls).toEqual(['desired 0', 'terminate i-1', 'terminate i-2']);
  // The index and its companion for dead letters.
  expect(indexes).toEqual([2, 2]);
  expect(await setup.indexes()).toEqual([]);
});

it('abandon keeps index and claim of a fleet that does not come to zero, and can be repeated', {
  tags: 'long',
}, async (scope) => {
  const { setup, abandon, store } = await setUpAbandon(scope);
  const fleet = new ScriptedFleet([view(1, 'i-1')]);
  fleet.refuses = 'i-1';
  await expect(abandon(fleet)).rejects.toThrow('the fleet is not at zero after 120 s: i-1 is held');
  expect(await setup.indexes()).toHaveLength(2);
  expect(await currentClaim(store)).toMatchObject({ runKey: 'k', held: true });
  fleet.refuses = null;
  await abandon(fleet);
  expect(await setup.indexes()).toEqual([]);
  expect(await currentClaim(store)).toMatchObject({ held: false, ended: 'abandoned' });
});

/** A claimed run with its index, and `abandon` with a fleet of the test's and a clock that does not wait. */
async function setUpAbandon(scope: TestScope) {
  const setup: RunSetup = await setUpRun(scope, {
    databaseUrl: database.url(),
    searchUrl,
    definition: PLACES,
    settings: { target: { url: searchUrl } },
  });
  for (const phase of ['claim', 'create-index']) resultOf(await setup.run(phase, '--run-key', 'k'));
  const cluster = await SearchCluster.connect({
    url: searchUrl,
    username: null,
    password: null,
    apiKey: null,
  });
  scope.onTestFinished(() => cluster.close());
  const store = certainStore(openFileStore(setup.journal), systemClock);
  const { signal } = new AbortController();
  const abandon = async (fleet: ScriptedFleet) => {
    let nowMs = 0;
    const sleep = async (ms: number): Promise<void> => void (nowMs += ms);
    const clock = { now: () => new Date(), monotonicMs: () => nowMs, sleep };
    const holder = await describeThisProcess('a test', new Date());
    const timing = { leaseMs: 600_000, waitMs: 0, clock: systemClock, signal };
    const lock = await FleetLock.acquire(store, holder, timing, {
      stateOfHolder: () => Promise.resolve('unknown'),
      onWait: () => {},
    });
    const openFleet = () => Promise.resolve({ fleet, timing: { zeroQuietMs: 0 } });
    try {
      return await abandonRun({ store, cluster, openFleet, lock, clock, signal, runKey: 'k' });
    } finally {
      await lock.release();
    }
  };
  return { setup, abandon, store };
}
