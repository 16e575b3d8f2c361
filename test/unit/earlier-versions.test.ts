import { beforeEach, describe, expect, it } from 'vitest';
import { RunFailed } from '../../orchestrator/errors.ts';
import { claimHistory, currentClaim, runFolder } from '../../orchestrator/journal/claims.ts';
import { readRun, RunJournal } from '../../orchestrator/journal/run-journal.ts';
import { PHASE_NAMES } from '../../orchestrator/reconcile/phases.ts';
import { rangeCounts, type RunState } from '../../orchestrator/reconcile/state.ts';
import { chooseRun, readStanding } from '../../orchestrator/run/choose-run.ts';
import { cleanJournal } from '../../orchestrator/run/clean-journal.ts';
import { type EarlierJournal, earlierJournal, putIn } from '../support/earlier-journals.ts';
import { MemoryStore } from '../support/memory-store.ts';

/** What versions before passes and lists of targets wrote is read in the meaning that it had. */

const ROWS = 600;
const AT = '2026-01-01T00:00:00.000Z';
let store: MemoryStore;

beforeEach(() => {
  store = new MemoryStore();
});

describe('a journal of schema 3', () => {
  it('of a finished run is read with its result and with its one index as the only target', async () => {
    const state = await stateOf('finished', 'monday');
    const [target] = state.identity?.targets ?? [];
    expect(target).toMatchObject({ definition: 'places', index: `${target?.alias}-${state.identity?.run}` });
    expect(Object.keys(state.phases)).toEqual(PHASE_NAMES);
    expect(PHASE_NAMES.filter((phase) => state.phases[phase]?.finishedAt == null)).toEqual([]);
    expect(state.result).toMatchObject({
      status: 'done',
      rows: ROWS,
      fleet: target?.alias,
      targets: [{ index: target?.index, indexed: ROWS, dead_letters: 0, validated: { documents: ROWS } }],
    });
    expect(state.promotions.get(target?.index ?? '')).toMatchObject({ removed: [] });
    expect(state.pass).toMatchObject({ kind: 'main', number: 1, targets: [target?.index] });
    expect(state.counts).toMatchObject({
      rowsRead: ROWS,
      targets: [{ index: target?.index, indexed: ROWS }],
    });
    expect(state.pin).toEqual({ kind: 'local', data: {} });
  });

  it('of an interrupted run is read from its first segment, and its snapshot is ignored', async () => {
    const objects = await earlierJournal('interrupted');
    expect(objects.some(({ body }) => 'snapshot' in body)).toBe(true);
    putIn(store, objects);
    const { state, planSegment, number } = await readRun(store, runFolder('monday'));
    expect(state.plan?.keyKind).toBe('integer');
    const { done, total, assigned } = rangeCounts(state);
    expect(total).toBe(250);
    expect(done).toBeGreaterThanOrEqual(60);
    expect(assigned).toBeGreaterThan(0);
    expect(state.counts.rowsRead).toBe(state.counts.targets[0]?.indexed);
    expect(planSegment).toBe(1);
    expect(number).toBe(objects.filter(({ name }) => name.includes('/segments/')).length);
  });

  it('of a run that was rolled back is read as rolled back', async () => {
    const state = await stateOf('rolled-back', 'tuesday');
    const [promotion] = state.promotions.values();
    expect(promotion?.removed).toHaveLength(1);
    expect(state.rolledBack?.targets).toMatchObject([
      { left: promotion?.added.index, restored: [promotion?.removed[0]?.index] },
    ]);
  });

  it('of an abandoned run is read as abandoned, and holds no fleet', async () => {
    expect((await stateOf('abandoned', 'monday')).abandoned).toBe(true);
    expect(await readStanding(store)).toMatchObject({ newest: { ended: 'abandoned' }, unfinished: null });
  });

  it('can be continued by this version', async () => {
    putIn(store, await earlierJournal('interrupted'));
    const at = '2027-01-01T00:00:00.000Z';
    const options = { store, runFolder: runFolder('monday'), epoch: 9, requireHeld: () => {} };
    const journal = await RunJournal.open({ ...options, now: () => new Date(at) });
    await journal.append([{ type: 'abandoned', at }]);
    const { state } = await readRun(store, runFolder('monday'));
    expect(state).toEqual(journal.state);
    expect(state.abandoned).toBe(true);
    expect(rangeCounts(state).total).toBe(250);
  });

  it('is found by its run key and by its claim', async () => {
    putIn(store, await earlierJournal('interrupted'));
    const claim = await currentClaim(store);
    const [alias] = claim?.aliases ?? [];
    expect(claim).toMatchObject({ held: true, runKey: 'monday', aliases: [{ definition: null }] });
    const definitionDigests = [alias?.definitionDigest ?? ''];
    const now = new Date();
    expect(await chooseRun(store, { runKey: null, definitionDigests, now })).toMatchObject({
      kind: 'unfinished',
      claim: { runKey: 'monday' },
    });
    const other = chooseRun(store, { runKey: 'monday', definitionDigests: ['other'], now });
    await expect(other).rejects.toThrow(/began with another definition/);
  });

  it('is deleted by age, except what a rollback needs', async () => {
    putIn(store, await earlierJournal('rolled-back'));
    const aged = { store, requireHeld: () => {}, now: new Date('2028-01-01'), keepMs: 1, keepLocksMs: 1 };
    // The newest claim's run is never touched, and the first is what the alias came back to.
    expect((await cleanJournal(aged)).runs).toEqual([]);
    expect((await claimHistory(store)).map(({ runKey }) => runKey)).toEqual(['tuesday', 'monday']);
  });
});

describe('a journal of an earlier version', () => {
  it('of schema 2 is read like one of schema 3', async () => {
    const objects = await earlierJournal('finished');
    putIn(
      store,
      objects.map(({ name, body }) => ({
        name,
        body: name.includes('/segments/') ? { ...body, schema: 2 } : body,
      })),
    );
    const second = (await readRun(store, runFolder('monday'))).state;
    expect(second).toEqual(await stateOf('finished', 'monday'));
  });

  it('of a run on an Auto Scaling group keeps the template and image of its pin', async () => {
    const pin = {
      region: 'eu-central-1',
      group: 'books',
      template: { id: 'lt-1', version: '3' },
      image: 'ami-1',
      parameter: null,
    };
    const state = await changed([{ type: 'fleet_pinned', pin }]);
    expect(state.pin).toEqual({ kind: 'auto-scaling', data: pin });
  });

  it('has its validation repeated when its proof lacks what promotion needs', async () => {
    const unproven = { type: 'phase_finished', phase: 'validate', at: AT, record: { rows: 600 } };
    const state = await changed([unproven]);
    expect(state.phases.validate).toBeUndefined();
  });

  it('is refused when it holds an unknown event', async () => {
    await expect(changed([{ type: 'shredded', at: 'now' }])).rejects.toThrow(
      /segments\/000000000002\.json is not a journal segment that this version can read .*events\.0\.type: this version does not know "shredded"/,
    );
  });

  it('is refused with a sentence when its result lacks a required field', async () => {
    const finished = changed([{ type: 'finished', at: AT, result: { status: 'done' } }]);
    await expect(finished).rejects.toThrow(RunFailed);
    await expect(finished).rejects.toThrow(
      /segments\/000000000002\.json does not follow from the segments before it: its result has no run_key .*Nothing was changed/,
    );
  });
});

async function stateOf(name: EarlierJournal, runKey: string): Promise<RunState> {
  store.objects.clear();
  putIn(store, await earlierJournal(name));
  return (await readRun(store, runFolder(runKey))).state;
}

/** The state of the finished run, had it recorded these events behind its beginning and nothing more. */
async function changed(events: readonly object[]): Promise<RunState> {
  const segments = (await earlierJournal('finished')).filter(({ name }) => name.includes('/segments/'));
  const [first, second] = segments;
  if (first === undefined || second === undefined) throw new Error('the journal has no segments');
  putIn(store, [first, { name: second.name, body: { ...second.body, events } }]);
  return (await readRun(store, runFolder('monday'))).state;
}
