import { expect, it } from 'vitest';
import { type ArmRounds, bestOf, failureOf, ratioOf } from '../bench/peers/comparison.ts';
import { reportOf } from '../bench/peers/report.ts';
import { targetLines } from '../bench/peers/targets.ts';
import type { Outcome } from '../bench/peers/turn.ts';

/** 1,000 documents in so many seconds, of which the client works half. */
function taken(seconds: number, peakBytes = 100e6): Outcome {
  return {
    documents: 1_000,
    seconds,
    wholeSeconds: seconds + 1,
    cpuSeconds: seconds / 2,
    wholeCpuSeconds: seconds / 2 + 1,
    databaseCpuSeconds: seconds / 4,
    peakBytes,
  };
}

function rounds(name: string, family: ArmRounds['arm']['family'], outcomes: Outcome[]): ArmRounds {
  return { arm: { name, family }, outcomes };
}

const OURS = rounds('ours', 'ours', [taken(1), taken(2), taken(1)]);
const FAST = rounds('fast', 'JavaScript', [taken(3), taken(4), taken(4)]);
const SLOW = rounds('slow', 'JavaScript', [taken(9), taken(9), taken(9)]);
const LOSSY = rounds('lossy', 'Python', [{ failed: 'it lost 3,168 documents' }, taken(8), taken(8)]);
const isPeer = (arm: ArmRounds['arm']): boolean => arm.family !== 'ours';

it('ratios are made within a round, so that a slow minute of the machine counts for neither arm', () => {
  expect(ratioOf(OURS, FAST, 'rate')).toEqual({ median: 3, quartiles: [3, 4], ends: [2, 4] });
});

it('a round that one of two arms did not finish makes no ratio', () => {
  expect(ratioOf(OURS, LOSSY, 'rate')).toMatchObject({ ends: [4, 8] });
  expect(ratioOf(OURS, rounds('never', 'Python', [{ failed: 'no' }]), 'rate')).toBeNull();
});

it('the best peer is the one with the highest median, whatever its best round was', () => {
  const lucky = rounds('lucky', 'JavaScript', [taken(0.1), taken(20), taken(20)]);
  expect(bestOf([OURS, SLOW, lucky, FAST], 'rate', isPeer)).toBe(FAST);
});

it('an arm that never brought its documents is not the best one', () => {
  expect(bestOf([rounds('never', 'Python', [{ failed: 'no' }])], 'rate', isPeer)).toBeNull();
});

it('a failure is told by the last line of what the program said, with the number of rounds', () => {
  const arm = rounds('python', 'Python', [
    taken(1),
    { failed: 'python3 ended with 1:\n  File x\nTransportError(429)' },
  ]);
  expect(failureOf(arm)).toEqual({ rounds: 1, why: 'TransportError(429)' });
});

it('the targets on a null sink are held against the better JavaScript arm', () => {
  expect(targetLines('null', [OURS, FAST, SLOW])).toEqual([
    'documents/s, times fast: 3.00 (quartiles 3.00 to 4.00, all 2.00 to 4.00): target at least 2.50 met',
    'documents per CPU second, times fast: 3.00 (quartiles 3.00 to 4.00, all 2.00 to 4.00): target at least 2.50 met',
    'peak memory: 100 MB at most: target 120 MB met',
  ]);
});

it('a target that is not reached is said to be missed', () => {
  const large = rounds('ours', 'ours', [taken(3, 130e6), taken(3, 110e6), taken(3)]);
  expect(targetLines('null', [large, FAST]).map((line) => line.split(' ').at(-1))).toEqual([
    'missed',
    'missed',
    'missed',
  ]);
});

it('the targets on a real node are held against the best arm of all, Python among them', () => {
  const python = rounds('python', 'Python', [taken(0.5), taken(0.5), taken(0.5)]);
  const lines = targetLines('opensearch', [OURS, FAST, python]);
  expect(lines[0]).toContain('times python: 0.50');
  expect(lines[0]).toContain('target at least 0.98 missed');
});

it('without an arm of this project there are no targets', () => {
  expect(targetLines('null', [FAST, SLOW])).toEqual([]);
});

it('a report shows each arm, the ratios to the best of each family, and an arm that lost documents', () => {
  const report = reportOf({ kind: 'null', name: 'null sink' }, [OURS, FAST, SLOW, LOSSY], false);
  expect(report).toContain('null sink: 1,000 documents, medians of 3 rounds');
  expect(report).toMatch(/^ours +1,000 +500 /m);
  expect(report).toContain('times fast: median (quartiles; all)');
  expect(report).toContain('times lossy: median (quartiles; all)');
  expect(report).toMatch(/^ours +3\.00 \(3\.00 to 4\.00; 2\.00 to 4\.00\)/m);
  expect(report).toContain('lossy failed in 1 of 3 rounds: it lost 3,168 documents');
});

it('a report as Markdown has tables that can be pasted into a page', () => {
  const report = reportOf({ kind: 'null', name: 'null sink' }, [OURS, FAST], true);
  expect(report).toMatch(/^### null sink/);
  expect(report).toMatch(/^\| arm +\| documents\/s \|/m);
  expect(report).toMatch(/^\| -+ \| -+: \|/m);
  expect(report).toMatch(/^- peak memory/m);
});
