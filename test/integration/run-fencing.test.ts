import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { runCommandOrPhase } from '../../orchestrator/command/run.ts';
import { JsonReporter } from '../../orchestrator/report/json-reporter.ts';
import { connectFleet } from '../../orchestrator/fleet/connect-fleet.ts';
import { openOffline } from '../../orchestrator/run/offline.ts';
import { loadSettings } from '../../orchestrator/settings.ts';
import { documentVersions } from '../support/run-documents.ts';
import { createGate } from '../support/run-gate.ts';
import { eventually } from '../support/run-eventually.ts';
import { rangesDone, stateOf } from '../support/run-journal.ts';
import { type RunSetup, setUpRun, type TestScope } from '../support/run-setup.ts';
import { placesDatabase, ROWS } from '../support/run-table.ts';
import { WithheldKill } from '../support/withheld-kill.ts';

/** A worker that was stopped in mid-range, given up, and wakes when its run is over: nothing of it reaches the index. */

const database = placesDatabase();

interface Fenced {
  readonly setup: RunSetup;
  readonly kill: WithheldKill;
  readonly result: Promise<unknown>;
  /** The stopped worker. */
  readonly sleeper: Sleeper;
}

interface Sleeper {
  readonly id: string;
  readonly pid: number;
  readonly url: string;
  readonly task: string;
}

/** Starts a run, stops one of its workers with rows on their way to it, and lets the other finish. */
async function runBesideASleeper(scope: TestScope, workerLeaseMs: number): Promise<Fenced> {
  const gate = await createGate(database.url(), 'places.id', ROWS / 2);
  scope.onTestFinished(() => gate.close());
  const definition = {
    source: { table: 'places', key: 'id' },
    document: { name: 'places.name', passed: gate.expression },
  };
  const workers = {
    count: 2,
    lost_after_ms: 1_500,
    call_timeout_ms: 500,
  };
  const local = { poll_interval_ms: 50, lease_ms: workerLeaseMs };
  const settings = { ranges: { count: 8 }, workers, local };
  const setup = await setUpRun(scope, { databaseUrl: database.url(), definition, settings });
  await gate.shut();
  const told: { id: string | null } = { id: null };
  const kill = new WithheldKill((id) => id === told.id);
  scope.onTestFinished(() => kill.close());
  const result = runInProcess(setup, kill);
  result.catch(() => {});
  await rangesDone(setup, 4);
  const sleeper = await workerBeforeTheGate(setup, kill);
  told.id = sleeper.id;
  process.kill(sleeper.pid, 'SIGSTOP');
  scope.onTestFinished(async () => wake(sleeper.pid));
  await gate.open();
  return { setup, kill, result, sleeper };
}

async function runInProcess(setup: RunSetup, kill: WithheldKill): Promise<unknown> {
  const settings = await loadSettings(
    { settings: join(setup.folder, 'reindex-fleet.yaml') },
    {},
    setup.folder,
  );
  const backend = await connectFleet(settings);
  const reporter = new JsonReporter(pino({ level: 'silent' }), () => performance.now());
  return runCommandOrPhase(
    {
      offline: await openOffline(settings, {}),
      flags: { runKey: 'fenced' },
      reporter,
      output: process,
      workers: { ...backend, open: (pass) => kill.open(backend, pass) },
      signal: new AbortController().signal,
    },
    'run',
  );
}

async function workerBeforeTheGate(setup: RunSetup, kill: WithheldKill): Promise<Sleeper> {
  const [pid = 0] = await setup.workers();
  const environment = (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0');
  const [, id = ''] = environment.find((line) => line.startsWith('REINDEX_WORKER_ID='))?.split('=') ?? [];
  const instance = kill.instances.find((candidate) => candidate.id === id);
  const range = await eventually('it has a task', async () =>
    [...((await stateOf(setup))?.open.values() ?? [])]
      .filter((open) => open.status === 'assigned')
      .find((open) => open.instance === id),
  );
  return { id, pid, url: instance?.url ?? '', task: range.task };
}

function wake(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // It has ended.
  }
}

const LEASE_MS = 4_000;

describe('a worker that wakes up after its run is over', { timeout: 120_000 }, () => {
  it('is refused by the cluster, because its write alias is gone', async (scope) => {
    const { setup, kill, result, sleeper } = await runBesideASleeper(scope, 600_000);
    expect(await result).toMatchObject({ status: 'done', rows: ROWS, targets: [{ indexed: ROWS }] });
    const before = await documentVersions(setup.alias);

    wake(sleeper.pid);
    // Its lease holds, so it goes on where it stood: it reads what had come, and sends it.
    const status = await eventually('its task has ended', async () => {
      const found = await kill.calls.task(sleeper.url, sleeper.task).catch(() => null);
      return found?.active === false ? found : null;
    });
    expect(status.error).toMatchObject({ next: 'stop', type: 'index_not_found_exception' });
    expect(await documentVersions(setup.alias)).toEqual(before);
  });

  it('ends itself when its lease is over, and writes nothing', async (scope) => {
    const stoppedMs = performance.now();
    const { setup, result, sleeper } = await runBesideASleeper(scope, LEASE_MS);
    expect(await result).toMatchObject({ status: 'done', rows: ROWS, targets: [{ indexed: ROWS }] });
    const before = await documentVersions(setup.alias);
    await eventually('its lease is over', () => performance.now() - stoppedMs > 2 * LEASE_MS);

    wake(sleeper.pid);
    await eventually('it has ended', async () => !(await setup.workers()).includes(sleeper.pid));
    expect(await documentVersions(setup.alias)).toEqual(before);
  });
});
