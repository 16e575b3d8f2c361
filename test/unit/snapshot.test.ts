import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  packState,
  type Snapshot,
  snapshotSchema,
  unpackState,
} from '../../orchestrator/journal/snapshot.ts';
import { NO_COUNTS, noTargetCounts } from '../../orchestrator/reconcile/counts.ts';
import type { PlannedRange } from '../../orchestrator/reconcile/run-plan.ts';
import type { RunEvent } from '../../orchestrator/reconcile/events.ts';
import type { AssignedRange, RangeState } from '../../orchestrator/reconcile/range-state.ts';
import { applyEvents } from '../../orchestrator/reconcile/fold-events.ts';
import { emptyState, nextFresh, restId, type RunState } from '../../orchestrator/reconcile/state.ts';
import { mainPass, reReadingPass } from '../support/run-values.ts';

describe('a snapshot of a run', () => {
  it('restores the state after any events, and later events have the same effect', () => {
    fc.assert(
      fc.property(
        fc.array(step(), { maxLength: 60 }),
        fc.array(step(), { maxLength: 20 }),
        (before, after) => {
          const state = story(PLANNED, before);
          const again = unpackState(throughJson(packState(state, 1)), state.plan);
          expect(again).toEqual(state);
          expect(story(again, after)).toEqual(story(state, after));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('that was written before workers were drained is read on: none is being drained', () => {
    const { drains: _, ...earlier } = packState(PLANNED, 1);
    const parsed = snapshotSchema.parse(JSON.parse(JSON.stringify(earlier)));
    expect(unpackState(parsed, PLANNED.plan)).toEqual(PLANNED);
  });
});

/** What happens next: a kind of event, and numbers from which its particulars are chosen. */
interface Step {
  readonly kind: (typeof KINDS)[number];
  readonly pick: number;
  readonly size: number;
}
const KINDS = [
  'assign',
  'assign',
  'settle',
  'fail',
  'finish',
  'cut',
  'intend cut',
  'refuse cut',
  'drain',
  'terminate',
  'desire',
  'stop',
  'resume',
  'phase',
  'read again',
  'lose target',
  'promote',
  'clear',
  'pin',
  'launch',
  'end',
  'limit',
] as const;

function step(): fc.Arbitrary<Step> {
  return fc.record({
    kind: fc.constantFrom(...KINDS),
    pick: fc.nat(30),
    size: fc.integer({ min: 1, max: 9 }),
  });
}

const RANGES: PlannedRange[] = Array.from({ length: 5 }, (_, i) => ({
  number: `${i + 1}`,
  start: i === 0 ? null : `${i * 100}`,
  end: i === 4 ? null : `${i * 100 + 100}`,
  rows: 7 * ((i * 3) % 5),
  bytes: 1000 / 3,
}));
const PLANNED = applyEvents(emptyState(), [
  { type: 'planned', keyKind: 'integer', ranges: RANGES, bounds: { min: '1', max: '499' } },
  { type: 'pass_opened', pass: mainPass() },
]);

const PIN = { kind: 'auto-scaling', data: { group: 'books', image: 'ami-1', parameter: null } };

function throughJson(snapshot: Snapshot): Snapshot {
  return snapshotSchema.parse(JSON.parse(JSON.stringify(snapshot)));
}

function story(state: RunState, steps: readonly Step[]): RunState {
  return steps.reduce((now, next) => applyEvents(now, eventsOf(now, next)), state);
}

/** Events as a run records them in this state; none where such a thing cannot happen. */
function eventsOf(state: RunState, { kind, pick, size }: Step): RunEvent[] {
  const at = '2026-01-01T00:00:00.000Z';
  const open = [...state.open.values()];
  const waiting = open.filter(({ status }) => status === 'waiting');
  const assigned = open.filter((range) => range.status === 'assigned');
  const range = assigned[pick % Math.max(1, assigned.length)];
  switch (kind) {
    case 'assign':
      return assignment(waiting[pick % (waiting.length + 1)] ?? nextFresh(state));
    case 'desire':
      return [{ type: 'desired_set', count: size }];
    case 'clear':
      return [{ type: 'fleet_cleared', earlier: size > 5 ? [`i-${pick}`] : [] }];
    case 'pin':
      return [{ type: 'fleet_pinned', pin: PIN }];
    case 'launch':
      return [{ type: 'instance_launched', instance: `i-${pick}`, at }];
    case 'end':
      return [{ type: 'instance_ended', instance: `i-${pick}`, at, seen: size > 5 }];
    case 'limit':
      return [{ type: 'capacity_limited', workers: size, reason: 'no more' }];
    case 'stop':
      return [{ type: 'stopped', reason: 'enough' }];
    case 'resume':
      return [{ type: 'pass_resumed' }];
    case 'phase':
      return [
        {
          type: 'phase_finished',
          phase: 'reindex',
          at,
          record: { counts: NO_COUNTS, documents_per_second: size, workers: 1, boot_seconds: null },
        },
      ];
    case 'drain':
      return [{ type: 'draining', instance: `i-${pick}`, reason: 'idle' }];
    case 'terminate':
      return [
        {
          type: 'terminating',
          instance: `i-${pick}`,
          decrement: size < 5,
          replaced: size > 7,
          reason: 'idle',
        },
      ];
    case 'read again':
      if (state.pass === null) return [{ type: 'pass_opened', pass: mainPass(state.lastPass + 1) }];
      return [
        {
          type: 'pass_opened',
          pass: reReadingPass(state.lastPass + 1, [`${(pick % 5) + 1}`, `${(size % 5) + 1}`]),
        },
      ];
    case 'lose target':
      return size === 1 ? [{ type: 'target_lost', reason: 'red' }] : [];
    case 'promote':
      return [{ type: 'promotion_intended', index: 'target', expected: [] }];
    default:
      return range === undefined ? [] : ofTask(state, range, kind, size);
  }
}

function assignment(range: RangeState | null): RunEvent[] {
  if (range === null) return [];
  const attempt = range.attempt + 1;
  return [{ type: 'assigned', range: range.id, attempt, instance: 'i-1', task: `${range.id}.${attempt}` }];
}

function ofTask(
  state: RunState,
  range: AssignedRange,
  kind: 'settle' | 'fail' | 'finish' | 'cut' | 'intend cut' | 'refuse cut',
  size: number,
): RunEvent[] {
  const { id, task } = range;
  const key = (BigInt(range.start ?? -100) + BigInt(size)).toString();
  const isInside = range.end === null || BigInt(key) < BigInt(range.end);
  if (kind === 'intend cut') return isInside ? [{ type: 'cut_intended', range: id, task, at: key }] : [];
  if (kind === 'refuse cut') return [{ type: 'cut_refused', range: id, task }];
  if (kind === 'cut')
    return isInside
      ? [{ type: 'cut', range: id, task, at: key, rest: restId(state, range), rows: size }]
      : [];
  const outcome = ({ settle: 'rest_waits', fail: 'failed', finish: 'done' } as const)[kind];
  const through = isInside && kind !== 'finish' ? key : null;
  const counts = {
    ...NO_COUNTS,
    rowsRead: size,
    targets: [{ ...noTargetCounts('target'), indexed: size }],
  };
  return [{ type: 'settled', range: id, task, through, counts, outcome, charged: size > 4, reason: 'lost' }];
}
