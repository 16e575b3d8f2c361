import { beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../orchestrator/clock.ts';
import { RunFailed, Superseded } from '../../orchestrator/errors.ts';
import { certainStore } from '../../orchestrator/journal/certain-store.ts';
import { currentClaim } from '../../orchestrator/journal/claims.ts';
import { RunJournal, readRun } from '../../orchestrator/journal/run-journal.ts';
import type { RunEvent } from '../../orchestrator/reconcile/events.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { mainPass } from '../support/run-values.ts';
import { IDENTITY } from '../support/virtual-world.ts';

const FOLDER = 'runs/test';
const AT = '2026-01-01T00:00:00.000Z';
let store: MemoryStore;

beforeEach(() => {
  store = new MemoryStore();
});

describe('a run’s journal', () => {
  it('is read back as it was written', async () => {
    const journal = await open(1);
    await journal.append(pass(3));
    await journal.append([{ type: 'assigned', range: 'p1-1', attempt: 1, instance: 'w1', task: 't1' }]);
    const again = await open(2);
    expect(again.state).toEqual(journal.state);
    expect(again.state.open.get('p1-1')?.status).toBe('assigned');
  });

  it('lets only one of two processes continue writing', async () => {
    const paused = await open(1);
    await paused.append(pass(1));
    const other = await open(2);
    await other.append([{ type: 'desired_set', count: 2 }]);
    await expect(paused.append([{ type: 'desired_set', count: 9 }])).rejects.toThrow(Superseded);
    expect((await readRun(store, FOLDER)).state.desired).toBe(2);
    expect(paused.state.desired).toBe(0);
  });

  it('goes on when only the answer to its write was lost', async () => {
    const journal = await open(1);
    store.loseNextAnswer = true;
    await journal.append(pass(1));
    await journal.append([{ type: 'desired_set', count: 4 }]);
    expect((await readRun(store, FOLDER)).state.desired).toBe(4);
  });

  it('writes nothing once the lock is lost', async () => {
    const journal = await open(1, () => {
      throw new Superseded('taken over');
    });
    await expect(journal.append(pass(1))).rejects.toThrow('taken over');
    expect(store.objects.size).toBe(0);
  });

  it('is read from its last snapshot, so that a long run needs few reads', async () => {
    const journal = await open(1);
    await journal.append(pass(1));
    for (let count = 1; count <= 1_500; count += 1) await journal.append([{ type: 'desired_set', count }]);
    let reads = 0;
    const read = store.read.bind(store);
    store.read = (name) => {
      reads += 1;
      return read(name);
    };
    expect((await readRun(store, FOLDER)).state).toEqual(journal.state);
    expect(reads).toBeLessThanOrEqual(600);
  });

  it('keeps the order of appends that are not awaited', async () => {
    const journal = await open(1);
    await Promise.all([1, 2, 3].map((count) => journal.append([{ type: 'desired_set', count }])));
    expect((await readRun(store, FOLDER)).state.desired).toBe(3);
  });

  it('is refused when a segment is missing, and the refusal names that segment', async () => {
    const journal = await open(1);
    for (const count of [1, 2, 3]) await journal.append([{ type: 'desired_set', count }]);
    const first = `${FOLDER}/segments/000000000001.json`;
    store.objects.delete(first);
    await expect(readRun(store, FOLDER)).rejects.toThrow(`${first} is not there`);
  });

  it('is refused when a segment cannot be read, and the refusal names that segment', async () => {
    store.objects.set(`${FOLDER}/segments/000000000001.json`, '{"schema":1}');
    await expect(open(1)).rejects.toThrow(
      /the journal in memory cannot be read: .*\/000000000001\.json is not a journal segment .*schema: /,
    );
  });

  it('of a newer version is refused in one sentence, like a claim of a newer version', async () => {
    const name = `${FOLDER}/segments/000000000001.json`;
    store.objects.set(name, '{"schema":6,"events":[]}');
    store.objects.set('claims/000000000001.json', '{"schema":4}');
    await expect(readRun(store, FOLDER)).rejects.toThrow(
      `the journal in memory cannot be read: a newer version wrote the journal segment ${name} (schema 6; this version reads up to 5). Nothing was changed. Use the version that wrote it.`,
    );
    await expect(currentClaim(store)).rejects.toThrow(
      /a newer version wrote the claim claims\/000000000001\.json \(schema 4; this version reads up to 3\)/,
    );
  });

  it('is not searched for when its claim has one alias twice', async () => {
    const claimed = { alias: 'books', definition: null, definitionDigest: 'd' };
    const claim = { schema: 2, nonce: 'n', held: true, runKey: 'k', run: 'r', at: AT, ended: null };
    store.objects.set('claims/000000000001.json', JSON.stringify({ ...claim, aliases: [claimed, claimed] }));
    await expect(currentClaim(store)).rejects.toThrow(
      /claims\/000000000001\.json is not a claim .*aliases: the alias books is there twice/,
    );
  });

  it.each([
    [
      'an event that nobody knows',
      { type: 'shredded', reason: 'why not' },
      'events.0.type: this version does not know "shredded"',
    ],
    [
      'a proof without its dead letters',
      {
        type: 'phase_finished',
        phase: 'validate',
        at: AT,
        record: { targets: [{ index: 'target', rows: 1, filtered: 0, documents: 1 }] },
      },
      'events.0.record.targets.0.dead_letters',
    ],
    ['a number that is none', { type: 'desired_set', count: 'many' }, 'events.0.count'],
    [
      'a pass of a kind that nobody knows',
      { type: 'pass_opened', pass: { ...mainPass(), kind: 'guessing' } },
      'events.0.pass.kind',
    ],
    [
      'a pass that writes one index twice',
      { type: 'pass_opened', pass: { ...mainPass(), targets: ['books', 'books'] } },
      'events.0.pass.targets: the index books is there twice',
    ],
    [
      'a key that is none',
      { type: 'cut_intended', range: 'p1-1', task: 't1', at: 'seven' },
      'events.0.at: a key is ',
    ],
    [
      'a plan whose keys are of a kind that nobody knows',
      { type: 'planned', keyKind: 'shape', ranges: [], bounds: null },
      'events.0.keyKind: this version does not know keys of the kind shape',
    ],
    [
      'a field that nobody knows',
      { type: 'desired_set', count: 1, until: AT },
      'events.0: Unrecognized key: "until"',
    ],
    ['a run without an index', { ...IDENTITY, targets: [] }, 'events.0.targets'],
    [
      'a run with one index twice',
      { ...IDENTITY, targets: [IDENTITY.targets[0], { ...IDENTITY.targets[0], alias: 'other' }] },
      'events.0.targets',
    ],
  ])('is refused when it holds %s, and the refusal names segment and field', async (_what, event, place) => {
    const name = `${FOLDER}/segments/000000000001.json`;
    const segment = { schema: 4, epoch: 1, nonce: 'n', at: AT, events: [event] };
    store.objects.set(name, JSON.stringify(segment));
    const refused = readRun(store, FOLDER);
    await expect(refused).rejects.toThrow(
      `the journal in memory cannot be read: ${name} is not a journal segment`,
    );
    await expect(refused).rejects.toThrow(place);
    await expect(refused).rejects.toThrow(
      /Nothing was changed\. Put the file back as it was, or use the version/,
    );
  });

  it('is refused when an event does not follow from those before, and the refusal names the segment', async () => {
    const journal = await open(1);
    await journal.append(pass(1));
    const name = `${FOLDER}/segments/000000000002.json`;
    const astray = { type: 'assigned', range: 'p1-9', attempt: 1, instance: 'w1', task: 't1' };
    const segment = { schema: 4, epoch: 1, nonce: 'n', at: AT, events: [astray] };
    store.objects.set(name, JSON.stringify(segment));
    const refused = readRun(store, FOLDER);
    await expect(refused).rejects.toThrow(RunFailed);
    await expect(refused).rejects.toThrow(
      `the journal in memory cannot be read: ${name} does not follow from the segments before it: range p1-9 was never given out, and is not the next of its pass. Nothing was changed.`,
    );
  });

  it('accepts no event that it could not read again', async () => {
    const journal = await open(1);
    await expect(journal.append([{ type: 'desired_set', count: Number.NaN }])).rejects.toThrow(
      'events.0.count',
    );
    expect(store.objects.size).toBe(0);
  });
});

function open(epoch: number, requireHeld = () => {}): Promise<RunJournal> {
  const certain = certainStore(store, systemClock);
  return RunJournal.open({ store: certain, runFolder: FOLDER, epoch, requireHeld, now: () => new Date(0) });
}

/** A plan of so many ranges of ten keys, and the pass that reads them. */
function pass(count: number): RunEvent[] {
  const ranges = Array.from({ length: count }, (_, i) => ({
    number: `${i + 1}`,
    start: `${i * 10}`,
    end: `${i * 10 + 10}`,
    rows: 10,
    bytes: 1000,
  }));
  return [
    { type: 'planned', keyKind: 'integer', ranges, bounds: null },
    { type: 'pass_opened', pass: mainPass() },
  ];
}
