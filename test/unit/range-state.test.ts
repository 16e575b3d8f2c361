import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { INTEGER_KEY } from '../../definition/key/integer-key.ts';
import { NO_COUNTS } from '../../orchestrator/reconcile/counts.ts';
import type { SettledEvent } from '../../orchestrator/reconcile/events.ts';
import {
  type AssignedRange,
  assignRange,
  cutRange,
  freshRange,
  rangeStateSchema,
  restOfRange,
  retryRange,
} from '../../orchestrator/reconcile/range-state.ts';

const PLANNED = { number: '07', start: '100', end: '200', rows: 90, bytes: 900 };
const FRESH = freshRange(PLANNED, 2);
const ASSIGNED = assignRange(FRESH, { attempt: 1, instance: 'i-1', task: 't.1' });

describe('the state of a range', () => {
  it('begins as waiting, with an id made of its pass and its planned number', () => {
    expect(FRESH).toMatchObject({ id: 'p2-07', status: 'waiting', attempt: 0, start: '100', end: '200' });
  });

  it('goes back to waiting behind the last settled key when its task is taken back, without instance and task', () => {
    expect(
      restOf(ASSIGNED, { through: '129', counts: { ...NO_COUNTS, rowsRead: 30 }, charged: true }),
    ).toEqual({
      id: 'p2-07',
      start: '130',
      end: '200',
      rows: 60,
      bytes: 600,
      status: 'waiting',
      attempt: 1,
      charged: 1,
      lastReason: 'lost',
    });
  });

  it('becomes failed with a reason, and waiting with all attempts when the pass is resumed', () => {
    const failed = restOf({ ...ASSIGNED, charged: 2 }, { outcome: 'failed', charged: true });
    expect(failed).toMatchObject({ status: 'failed', charged: 3, lastReason: 'lost' });
    if (failed.status !== 'failed') throw new Error('it did not fail');
    expect(retryRange(failed)).toEqual({ ...failed, status: 'waiting', charged: 0 });
  });

  it('refuses a rest behind the greatest possible key', () => {
    const through = String(2n ** 63n - 1n);
    expect(() => restOf({ ...ASSIGNED, end: null }, { through })).toThrow(
      'the journal says that a rest is left after 9223372036854775807, but no key can come after that',
    );
  });

  it('divides keys, rows and bytes between the two parts of a cut', () => {
    const { kept, rest } = cutRange({ ...ASSIGNED, cutAt: '150' }, { at: '150', rest: 'p2-07.1', rows: 30 });
    expect(kept).toEqual({ ...ASSIGNED, end: '150', rows: 60, bytes: 600 });
    expect(rest).toMatchObject({
      id: 'p2-07.1',
      status: 'waiting',
      start: '150',
      end: '200',
      rows: 30,
      bytes: 300,
    });
  });

  it('keeps the sum of rows and bytes over any cut', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(1000), fc.nat(1_000_000), (rows, wanted, thirds) => {
        const bytes = thirds / 3;
        const { kept, rest } = cutRange({ ...ASSIGNED, rows, bytes }, { at: '150', rest: 'r', rows: wanted });
        expect(kept.bytes + rest.bytes).toBeCloseTo(bytes, 3);
        expect(kept.rows).toBe(Math.max(0, rows - wanted));
        for (const part of [kept, rest]) expect(rangeStateSchema.parse(part)).toEqual(part);
      }),
    );
  });
});

describe('the state of a range in a snapshot', () => {
  test.each([
    ['waiting', FRESH],
    ['assigned', ASSIGNED],
    ['assigned with an intended cut', { ...ASSIGNED, cutAt: '150' }],
    ['failed', restOf(ASSIGNED, { outcome: 'failed' })],
  ])('is read back unchanged when it is %s', (_, range) => {
    expect(rangeStateSchema.parse(JSON.parse(JSON.stringify(range)))).toEqual(range);
  });

  it('is refused with a worker but no task, or with an unknown status', () => {
    const { task: _, ...withoutTask } = ASSIGNED;
    expect(rangeStateSchema.safeParse(withoutTask).success).toBe(false);
    expect(rangeStateSchema.safeParse({ ...FRESH, instance: 'i-1' }).success).toBe(false);
    expect(rangeStateSchema.safeParse({ ...FRESH, status: 'paused' }).success).toBe(false);
  });
});

function restOf(range: AssignedRange, event: Partial<SettledEvent>) {
  return restOfRange(INTEGER_KEY, range, {
    type: 'settled',
    range: range.id,
    task: range.task,
    through: null,
    counts: NO_COUNTS,
    outcome: 'rest_waits',
    charged: false,
    reason: 'lost',
    ...event,
  });
}
