import { expect, it } from 'vitest';
import {
  changedSinceOf,
  type Cutoff,
  doubtfulVersionFrom,
  doubtWords,
} from '../../orchestrator/reconcile/cutoff.ts';

const CUTOFF: Cutoff = {
  at: '2026-01-01T12:00:00.000000Z',
  oldest: '2026-01-01T11:30:00.000000Z',
  doubts: [],
};

it('rows count as changed from a minute before the oldest open transaction on, for clocks differ', () => {
  expect(changedSinceOf(CUTOFF)).toBe('2026-01-01T11:29:00.000Z');
  expect(doubtWords(CUTOFF)).toBeNull();
});

it('a transaction that cannot be seen may have been open for an hour, and the cutoff says why', () => {
  const unseen: Cutoff = { ...CUTOFF, doubts: ['replica', 'prepared_transactions'] };
  expect(changedSinceOf(unseen)).toBe('2026-01-01T10:29:00.000Z');
  expect(doubtWords(unseen)).toBe(
    'changes of transactions that were open for more than an hour may be missing, because it was read from a replica, which does not show the primary’s open transactions; a prepared transaction does not say when it began',
  );
});

it('a version in whole seconds is in doubt from a second before the oldest open transaction on', () => {
  expect(doubtfulVersionFrom(CUTOFF)).toBe(BigInt(Date.parse('2026-01-01T11:29:59Z')) * 1_000n);
});
