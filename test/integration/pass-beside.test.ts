import { expect, it } from 'vitest';
import type { CommandContext } from '../../orchestrator/command/command.ts';
import { lockRequest } from '../../orchestrator/command/lock-request.ts';
import { runCommandOrPhase } from '../../orchestrator/command/run.ts';
import { systemClock } from '../../orchestrator/clock.ts';
import { guardedCalls } from '../../orchestrator/index/guarded-calls.ts';
import { beginPass, fencePass } from '../../orchestrator/passes/conduct-pass.ts';
import { claimRun, prepareRun } from '../../orchestrator/run/begin-run.ts';
import { chooseRun } from '../../orchestrator/run/choose-run.ts';
import { connectBoth } from '../../orchestrator/run/connections.ts';
import type { RunContext } from '../../orchestrator/run/context.ts';
import { validatePhase } from '../../orchestrator/run/validate-phase.ts';
import { withLock } from '../../orchestrator/run/with-lock.ts';
import { documentVersions } from '../support/run-documents.ts';
import { stateOf } from '../support/run-journal.ts';
import { setUpRun } from '../support/run-setup.ts';
import { commandOf } from '../support/own-command.ts';
import { PLACES, placesDatabase, ROWS } from '../support/run-table.ts';

const database = placesDatabase();
const RANGES = 4;

it('a pass beside the orchestrator reads its ranges with one local process, and asks nothing of the fleet', {
  timeout: 120_000,
}, async (scope) => {
  const setup = await setUpRun(scope, {
    databaseUrl: database.url(),
    definition: PLACES,
    settings: { ranges: { count: RANGES } },
  });
  const command = await commandOf(setup);
  for (const phase of ['claim', 'create-index', 'reindex', 'finalize'] as const)
    await runCommandOrPhase(command, phase);

  await onRun(command, async (run) => {
    const [{ index }] = run.targets;
    await beginPass(run, {
      kind: 're-reading',
      reads: { kind: 'ranges', numbers: ['2', '3'] },
      targets: [index],
      workers: 'beside',
    });
    await fencePass(run);

    const { state } = run.journal;
    expect(state.pass).toMatchObject({ number: 2, workers: 'beside' });
    expect(state.counts).toMatchObject({ rowsRead: ROWS / 2, targets: [{ index, indexed: ROWS / 2 }] });
    expect(Object.keys(state.terminations).filter((id) => id.includes('-2-'))).toHaveLength(1);
    expect(state.desired).toBe(0);
    expect(await setup.workers()).toEqual([]);
    // Ranges that are read again are emptied first, so each row is written anew.
    expect(Object.keys(await documentVersions(index))).toHaveLength(ROWS);
    const { record } = await validatePhase(run);
    expect(record.targets).toMatchObject([{ index, documents: ROWS, ranges: RANGES }]);
  });

  // What another process reads of it is the same.
  expect((await stateOf(setup))?.earlierPasses).toMatchObject([{ pass: { kind: 'main', workers: 'fleet' } }]);
  expect(await runCommandOrPhase(command, 'run')).toMatchObject({
    rows: ROWS,
    targets: [{ indexed: ROWS, read_again: { rows: ROWS / 2 } }],
  });
});

/** Works on the claimed run as a command does, with a fleet that is never opened. */
async function onRun(command: CommandContext, work: (run: RunContext) => Promise<void>): Promise<void> {
  const { offline, reporter } = command;
  const { store, definitionDigest } = offline;
  const connections = await connectBoth(offline, reporter);
  try {
    await withLock(await lockRequest(command, 'test'), async (lock, signal) => {
      const wanted = { runKey: 'k', definitionDigests: [definitionDigest], now: new Date() };
      const chosen = await chooseRun(store, wanted);
      const begun = await prepareRun({ ...command, connections }, chosen);
      const clock = systemClock;
      const journal = await claimRun(store, begun, chosen, { lock, clock, loaded: offline.loaded });
      const cluster = guardedCalls(connections.cluster, () => lock.requireHeld(), signal);
      const fleetIsAsked = (): Promise<never> => Promise.reject(new Error('the fleet was asked'));
      await work({
        ...begun,
        offline,
        journal,
        lock,
        clock,
        reporter,
        signal,
        connections: { ...connections, cluster },
        workers: { check: fleetIsAsked, open: fleetIsAsked, openFleet: fleetIsAsked },
        promoteLimit: null,
        accepts: { shrink: false, foreign: false },
        host: 'virtual',
        maxCost: null,
      });
    });
  } finally {
    await connections.close();
  }
}
