import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../orchestrator/reconcile/events.ts';
import { RunJournal } from '../../orchestrator/journal/run-journal.ts';
import { standingWords } from '../../orchestrator/run/standing-words.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { IDENTITY } from '../support/virtual-world.ts';

const AT = '2026-01-01T00:00:00.000Z';
const INTENDED: RunEvent = { type: 'promotion_intended', index: 'target', expected: [] };
const PROMOTED: RunEvent = {
  type: 'phase_finished',
  phase: 'promote',
  at: AT,
  record: { targets: [{ index: 'target', previous_indexes: [], stale: null }] },
};

async function wordsAfter(...events: RunEvent[]): Promise<string> {
  const journal = await RunJournal.open({
    store: new MemoryStore(),
    runFolder: 'runs/test',
    epoch: 1,
    requireHeld: () => {},
    now: () => new Date(AT),
  });
  await journal.append([IDENTITY, ...events]);
  return standingWords(journal.state);
}

describe('a run that its cluster has ended', () => {
  it.each<[string, RunEvent[]]>([
    ['has not moved', []],
    ['may have moved: the same command finds out', [INTENDED]],
    ['has moved', [INTENDED, PROMOTED]],
  ])('says that the alias %s', async (words, events) => {
    expect(await wordsAfter(...events)).toContain(`The alias ${words}. Give the same command again`);
  });
});
