import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { describe, expect, inject, it } from 'vitest';
import { currentHolder } from '../../orchestrator/journal/lock.ts';
import { openFileStore } from '../../orchestrator/journal/file-store.ts';
import { type RunningCommand, resultOf } from '../support/run-command.ts';
import { eventually } from '../support/run-eventually.ts';
import { isHeld, rangesDone, stateOf } from '../support/run-journal.ts';
import { type ProxiedCall, type SearchProxy, startProxy } from '../support/run-proxy.ts';
import { type RunSetup, setUpRun, type TestScope } from '../support/run-setup.ts';
import { gatedPlaces, placesDatabase, ROWS } from '../support/run-table.ts';
import { createServiceFolder, postgresqlPid, postmasterFile } from '../support/services.ts';
import { processEntry } from '../../embedded/process-table.ts';
import { dataDirectory } from '../../embedded/cache.ts';
import { onlyTarget } from '../support/run-values.ts';
import { sampled } from '../support/sampled.ts';

/** Wherever a run is held up, a signal ends it within 3 s with its own code, and the same command carries on. */

const database = placesDatabase();
const SEARCH = inject('developmentUrl');
const SIGNAL_AT_END = fileURLToPath(new URL('../support/signal-at-end.ts', import.meta.url));
const CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
const KEY = ['--run-key', 'k'] as const;

async function setUp(scope: TestScope) {
  const proxy = await startProxy(scope, SEARCH);
  const { gate, definition } = await gatedPlaces(scope, database.url());
  const setup = await setUpRun(scope, {
    databaseUrl: database.url(),
    searchUrl: SEARCH,
    definition: { ...definition, retain: 0 },
    settings: {
      target: { url: proxy.url },
      workers: { count: 1 },
      ranges: { count: 4 },
      journal: { lease_ms: 60_000 },
    },
  });
  return { proxy, gate, setup };
}

/** Signals a command where it stands and sees it leave in time, with nothing left behind. */
async function interrupt(
  setup: RunSetup,
  command: RunningCommand,
  signal: (typeof SIGNALS)[number],
): Promise<void> {
  const sentMs = performance.now();
  command.child.kill(signal);
  const { code, result } = await command.ended;
  expect(performance.now() - sentMs).toBeLessThan(3_000);
  expect(code).toBe(CODES[signal]);
  expect(result).toMatchObject({ status: 'interrupted', exit_code: CODES[signal] });
  expect(await setup.workers()).toEqual([]);
}

/** Answers of the first call like this come when `release` is called, or never. */
function holdAt(proxy: SearchProxy, pattern: RegExp): { reached: Promise<void>; release(): void } {
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  proxy.beforeAnswer = async ({ method, path }: ProxiedCall) => {
    if (!pattern.test(`${method} ${path}`)) return;
    reach();
    await released;
  };
  return { reached, release };
}

describe('a signal to a run', { timeout: 300_000 }, () => {
  sampled(SIGNALS, 1)(
    'ends it by %s in any phase without its lock, and the same command resumes it each time',
    async (signal, scope) => {
      const { proxy, gate, setup } = await setUp(scope);
      const calls: readonly (readonly [string, RegExp])[] = [
        ['plan', /^GET \/_cluster\/settings/],
        ['create-index', /^GET .*-dead-letters\?flat_settings/],
        ['finalize', /^PUT .*\/_block\/write$/],
        ['validate', /^POST .*\/_count$/],
        ['promote', /^GET \/_alias\//],
        ['retain', /^GET .*expand_wildcards/],
      ];
      for (const [phase, pattern] of calls) {
        const hold = holdAt(proxy, pattern);
        const run = setup.start('run', ...KEY);
        await hold.reached;
        await interrupt(setup, run, signal);
        hold.release();
        const holder = await currentHolder(openFileStore(setup.journal));
        expect(holder, `the lock after ${signal} in ${phase}`).toBeNull();
        expect(await isHeld(setup)).toBe(phase !== 'plan');
      }
      proxy.beforeAnswer = () => Promise.resolve();
      await gate.open();
      expect(resultOf(await setup.run('run', ...KEY))).toMatchObject({
        status: 'done',
        targets: [{ indexed: ROWS }],
      });
    },
  );

  sampled(SIGNALS, 1)(
    'ends it by %s while its workers read, and ends one that waits for its turn',
    async (signal, scope) => {
      const { gate, setup } = await setUp(scope);
      await gate.shut();
      const run = setup.start('run', ...KEY);
      await rangesDone(setup, 2);
      const patient = setup.start('run', ...KEY);
      await patient.said('waiting for the lock');

      patient.child.kill(signal);
      expect(await patient.ended).toMatchObject({ code: CODES[signal], result: { status: 'interrupted' } });
      expect(run.child.exitCode).toBeNull();
      await interrupt(setup, run, signal);

      expect((await stateOf(setup))?.desired).toBe(0);
      await gate.open();
      expect(resultOf(await setup.run('run', ...KEY))).toMatchObject({
        status: 'done',
        targets: [{ indexed: ROWS }],
      });
    },
  );

  sampled(SIGNALS, 1)(
    'ends it by %s while its database hangs at connecting and at planning',
    async (signal, scope) => {
      const { setup } = await setUp(scope);
      const silent = createServer().listen(0, '127.0.0.1');
      scope.onTestFinished(async () => void silent.close());
      await once(silent, 'listening');
      const { port } = silent.address() as AddressInfo;
      const connecting = setup.start('run', ...KEY, '--source', `postgres://nobody@127.0.0.1:${port}/none`);
      const [socket] = (await once(silent, 'connection')) as [Socket];
      scope.onTestFinished(async () => void socket.destroy());
      await interrupt(setup, connecting, signal);

      const client = new Client({ connectionString: database.url() });
      await client.connect();
      scope.onTestFinished(() => client.end());
      await client.query('BEGIN; LOCK TABLE places IN ACCESS EXCLUSIVE MODE');
      const planning = setup.start('run', ...KEY);
      await eventually('the run waits for the table', async () => {
        const { rows } = await client.query(
          'SELECT FROM pg_locks WHERE NOT granted AND relation = $1::regclass',
          ['places'],
        );
        return rows.length > 0;
      });
      await interrupt(setup, planning, signal);
      await client.query('ROLLBACK');

      expect(resultOf(await setup.run('run', ...KEY))).toMatchObject({
        status: 'done',
        targets: [{ indexed: ROWS }],
      });
    },
  );

  it('ends it while its services start, and the services end too', async (scope) => {
    const { proxy, setup } = await setUp(scope);
    // However soon the database is up, the run comes no further than to its services.
    holdAt(proxy, /^GET \/$/);
    const folder = createServiceFolder();
    scope.onTestFinished(async () => folder.remove());
    const environment = { REINDEX_FLEET_CACHE: folder.path };
    const data = dataDirectory(folder.path);
    const run = setup.startWith({ environment }, 'run', '--source', 'embedded');
    const pid = await eventually('PostgreSQL starts', () =>
      existsSync(postmasterFile(data)) ? postgresqlPid(data) : null,
    );
    await interrupt(setup, run, 'SIGTERM');
    await eventually('PostgreSQL has ended', () => processEntry(pid) === null);
    expect(existsSync(setup.journal)).toBe(false);
  });

  it('ends it at once when it is the second one, with the exit code of the first', async (scope) => {
    const { proxy, setup } = await setUp(scope);
    const hold = holdAt(proxy, /^GET \/$/);
    const run = setup.start('run', ...KEY);
    await hold.reached;
    run.child.kill('SIGINT');
    await run.said('SIGINT: recording the state of the work');
    const sentMs = performance.now();
    run.child.kill('SIGTERM');

    expect(await run.ended).toMatchObject({ code: 130, result: { status: 'interrupted', exit_code: 130 } });
    // The call would have hung for as long as the first signal lets it.
    expect(performance.now() - sentMs).toBeLessThan(2_000);
  });
});

function keyOf(command: string): readonly string[] {
  return command === 'plan' ? [] : KEY;
}

describe('the exit code 0', { timeout: 120_000 }, () => {
  it('never follows a signal that came before the result was printed', async (scope) => {
    const { setup } = await setUp(scope);
    const nodeFlags = ['--import', SIGNAL_AT_END];
    const codes: Record<string, number | null> = {};
    for (const name of ['run', 'run again', 'status', 'plan', 'abandon']) {
      const [command = ''] = name.split(' ');
      codes[name] = (await setup.startWith({ nodeFlags }, command, ...keyOf(command)).ended).code;
    }
    expect(codes).toEqual({ run: 143, 'run again': 143, status: 143, plan: 143, abandon: 143 });
    expect((await stateOf(setup))?.result).toMatchObject({ status: 'done', targets: [{ indexed: ROWS }] });
  });

  it('comes only with a whole result, whenever a signal comes', { tags: 'long' }, async (scope) => {
    const { setup } = await setUp(scope);
    const { seconds } = await setup.run('run', ...KEY);
    const again = await setup.run('run', ...KEY);
    expect(seconds).toBeGreaterThan(0);
    const outcomes: (number | string | null)[] = [];
    for (let i = 0; i < 24; i += 1) {
      const run = setup.start('run', ...KEY);
      // From half of the time that it takes to a little beyond its end.
      const timer = setTimeout(() => run.child.kill('SIGTERM'), again.seconds * (500 + i * 25));
      const { code, result } = await run.ended;
      clearTimeout(timer);
      outcomes.push(
        code === 0 ? `0, ${String(result['status'])}, ${String(onlyTarget(result)['indexed'])}` : code,
      );
    }
    // Null: before it listened for signals, or behind its last word.
    expect(new Set(outcomes).difference(new Set([`0, done, ${ROWS}`, 143, null]))).toEqual(new Set());
  });
});
