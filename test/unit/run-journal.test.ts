import { beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../orchestrator/clock.ts';
import { Superseded } from '../../orchestrator/errors.ts';
import { certainStore } from '../../orchestrator/journal/certain-store.ts';
import { RunJournal, readRun } from '../../orchestrator/journal/run-journal.ts';
import type { RunEvent } from '../../orchestrator/reconcile/events.ts';
import { MemoryStore } from '../support/memory-store.ts';

const FOLDER = 'runs/test';
let store: MemoryStore;

beforeEach(() => {
  store = new MemoryStore();
});

describe('a run’s journal', () => {
  it('is read again as it was written', async () => {
    const journal = await open(1);
    await journal.append(pass(3));
    await journal.append([{ type: 'assigned', range: 'p1-1', attempt: 1, instance: 'w1', task: 't1' }]);
    const again = await open(2);
    expect(again.state).toEqual(journal.state);
    expect(again.state.open.get('p1-1')?.status).toBe('assigned');
  });

  it('lets only one of two processes write on', async () => {
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

  it('reads few segments of a long run, from its last snapshot on', async () => {
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

  it('keeps the order of appends that are not waited for', async () => {
    const journal = await open(1);
    await Promise.all([1, 2, 3].map((count) => journal.append([{ type: 'desired_set', count }])));
    expect((await readRun(store, FOLDER)).state.desired).toBe(3);
  });

  it('says which segment is missing, and does not tell the story without it', async () => {
    const journal = await open(1);
    for (const count of [1, 2, 3]) await journal.append([{ type: 'desired_set', count }]);
    const first = `${FOLDER}/segments/000000000001.json`;
    store.objects.delete(first);
    await expect(readRun(store, FOLDER)).rejects.toThrow(`${first} is not there`);
  });

  it('says which segment it cannot read', async () => {
    store.objects.set(`${FOLDER}/segments/000000000001.json`, '{"schema":99}');
    await expect(open(1)).rejects.toThrow(
      /the journal in memory cannot be read: .*\/000000000001\.json is no journal segment .*schema: .*expected 2|3\)/,
    );
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
    { type: 'pass_opened', pass: 1, numbers: null },
  ];
}
