import { describe, expect, it } from 'vitest';
import { runResultSchema } from '../../orchestrator/reconcile/run-result.ts';
import type { RunEvent } from '../../orchestrator/reconcile/events.ts';
import { applyEvents } from '../../orchestrator/reconcile/fold-events.ts';
import { packState, snapshotSchema, unpackState } from '../../orchestrator/journal/snapshot.ts';
import { emptyState } from '../../orchestrator/reconcile/state.ts';
import { resultOf } from '../../orchestrator/run/result.ts';
import { mainPass, reReadingPass, runResult } from '../support/run-values.ts';
import { IDENTITY } from '../support/virtual-world.ts';

const [{ index }] = IDENTITY.targets;
const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 1) + seconds * 1_000).toISOString();

/** One range is read in a pass, by one task. */
function readRange(pass: number, rows: number, retries: number): RunEvent[] {
  const [range, task] = [`p${pass}-1`, `t${pass}`];
  const counts = {
    rowsRead: rows,
    bytesSent: rows,
    retries,
    targets: [{ index, indexed: rows, superseded: 0, filtered: 0, deadLetters: 0 }],
  };
  return [
    { type: 'assigned', range, attempt: 1, instance: 'w', task },
    { type: 'settled', range, task, through: null, counts, outcome: 'done', charged: false, reason: null },
  ];
}

const PLANNED: RunEvent[] = [
  IDENTITY,
  {
    type: 'planned',
    keyKind: 'integer',
    ranges: [{ number: '1', start: null, end: null, rows: 10, bytes: 10 }],
    bounds: null,
  },
];

const PROVEN: RunEvent = {
  type: 'phase_finished',
  phase: 'validate',
  at: at(4_000),
  record: {
    targets: [
      {
        index,
        rows: 8,
        filtered: 1,
        documents: 6,
        dead_letters: 1,
        ranges: 1,
        ranges_by_keys: 1,
        samples_compared: 3,
        rows_read_from: at(0),
      },
    ],
  },
};

describe('the result of a run', () => {
  it('counts the index as it was proven, and what was read again beside it', () => {
    const state = applyEvents(emptyState(), [
      ...PLANNED,
      { type: 'pass_opened', pass: mainPass(1, index) },
      ...readRange(1, 10, 2),
      { type: 'pass_opened', pass: reReadingPass(2, ['1'], index) },
      ...readRange(2, 7, 1),
      PROVEN,
    ]);

    expect(resultOf(state, at(5_000), null)).toMatchObject({
      rows: 8,
      retries: 3,
      bytes_sent: 17,
      targets: [{ indexed: 6, filtered: 1, dead_letters: 1, read_again: { ranges: 1, rows: 7, passes: 1 } }],
    });
  });

  it('has the time and the retries of all processes, also of a reading whose target was lost', () => {
    const state = applyEvents(emptyState(), [
      ...PLANNED,
      { type: 'phase_started', phase: 'reindex', at: at(0) },
      { type: 'pass_opened', pass: mainPass(1, index) },
      ...readRange(1, 10, 2),
      { type: 'phase_started', phase: 'reindex', at: at(3_600), broken_off_at: at(10) },
      { type: 'phase_finished', phase: 'reindex', at: at(3_620), record: REINDEXED },
      { type: 'target_lost', reason: 'gone' },
      { type: 'phase_started', phase: 'reindex', at: at(3_700) },
      { type: 'pass_opened', pass: mainPass(2, index) },
      ...readRange(2, 10, 5),
      { type: 'phase_finished', phase: 'reindex', at: at(3_705), record: REINDEXED },
      PROVEN,
    ]);

    expect(resultOf(state, at(5_000), null)).toMatchObject({
      retries: 7,
      phase_seconds: { reindex: 35 },
    });
  });

  it('has the figures that a snapshot of an earlier version knows', () => {
    const state = applyEvents(emptyState(), [
      IDENTITY,
      { type: 'phase_started', phase: 'reindex', at: at(0) },
      { type: 'phase_finished', phase: 'reindex', at: at(20), record: REINDEXED },
    ]);
    const { totals: _, ...earlier } = packState(state, 0);

    const read = unpackState(snapshotSchema.parse(earlier), null);

    expect(resultOf(read, at(30), null)).toMatchObject({ phase_seconds: { reindex: 20 } });
  });

  it('of an earlier version is read on, with the rows that it had read again', () => {
    const parts = Object.entries(runResult().targets[0] ?? {});
    const target = Object.fromEntries(parts.filter(([name]) => name !== 'read_again' && name !== 'stale'));
    const earlier = { ...runResult(), targets: [{ ...target, rows_read_again: 12 }] };

    expect(runResultSchema.parse(earlier).targets).toMatchObject([
      { read_again: { ranges: null, rows: 12, passes: null }, stale: null },
    ]);
    expect(runResultSchema.safeParse({ ...earlier, other: 1 }).success).toBe(false);
  });
});

const REINDEXED = {
  counts: { rowsRead: 10, bytesSent: 10, retries: 0, targets: [] },
  documents_per_second: 1,
  workers: 1,
  boot_seconds: null,
};
