import { describe, expect, it } from 'vitest';
import type { RecordContext } from '../../orchestrator/command/command.ts';
import { lockWaitOf } from '../../orchestrator/command/wait-option.ts';
import type { Holder } from '../../orchestrator/journal/holder.ts';
import { type LockWait, NO_WAIT, Patience } from '../../orchestrator/run/lock-wait.ts';

const LEASE_MS = 10_000;
const SAME: LockWait = { runKey: 'monday', forSameRun: true, withinMs: null };

function holder(runKey?: string): Holder {
  const process = { host: 'here', pid: 7, identity: null, since: '2026-01-01T00:00:00.000Z' };
  return { ...process, purpose: 'reindex-fleet run', ...(runKey === undefined ? {} : { runKey }) };
}

/** When a command that looks every second gives up. Null: not within a day. */
function endOf(wait: LockWait, holderAt: (ms: number) => Holder): number | null {
  const patience = new Patience(wait, LEASE_MS);
  for (let ms = 0; ms <= 86_400_000; ms += 1_000) if (patience.look(holderAt(ms), ms).isOver) return ms;
  return null;
}

describe('a command that finds the lock held', () => {
  it('waits for a process of the same run as long as that process holds it', () => {
    expect(endOf(SAME, () => holder('monday'))).toBeNull();
  });

  it('does not wait for a process of another run', () => {
    expect(endOf(SAME, () => holder('tuesday'))).toBe(0);
  });

  it('waits a little longer than a lease for a process that names no run', () => {
    expect(endOf(SAME, () => holder())).toBe(12_000);
    expect(endOf(NO_WAIT, () => holder('monday'))).toBe(12_000);
  });

  it('waits a little longer than a lease for a sweep that comes after the process of the same run', () => {
    const end = endOf(SAME, (ms) => (ms < 3_600_000 ? holder('monday') : holder()));
    expect(end).toBe(3_612_000);
  });

  it('waits a little longer than a lease for a process of another run that comes after the process of the same run', () => {
    const end = endOf(SAME, (ms) => holder(ms < 3_600_000 ? 'monday' : 'tuesday'));
    expect(end).toBe(3_612_000);
  });

  it('does not wait until the end of a run that it is to abandon', () => {
    expect(endOf({ ...SAME, forSameRun: false }, () => holder('monday'))).toBe(12_000);
  });

  it.each([holder('monday'), holder('tuesday'), holder()])(
    'waits as long as --wait says, whatever process holds it: %o',
    (process) => {
      expect(endOf({ ...SAME, withinMs: 60_000 }, () => process)).toBe(60_000);
      expect(endOf({ ...SAME, withinMs: 0 }, () => process)).toBe(0);
    },
  );

  it('tells once a minute for which process it waits, and for how long it has waited', () => {
    const patience = new Patience(SAME, LEASE_MS);
    const told: string[] = [];
    for (let ms = 0; ms <= 130_000; ms += 500) {
      const { words } = patience.look(holder('monday'), ms);
      if (words !== null) told.push(words);
    }
    expect(told).toEqual(
      ['', ', for 1 min now', ', for 2 min now'].map(
        (since) =>
          `waiting for the lock${since}: reindex-fleet run, process 7 on here, since 2026-01-01T00:00:00.000Z, for the run with key monday; this command then ends with the result of that run`,
      ),
    );
  });
});

describe('the option --wait', () => {
  it.each([
    ['90s', 90_000],
    ['1.5h', 5_400_000],
    ['250ms', 250],
    ['2d', 172_800_000],
    ['0', 0],
    [true, Number.POSITIVE_INFINITY],
    [undefined, null],
  ])('%s is read as %s milliseconds', (given, withinMs) => {
    expect(waitOf({ wait: given }).withinMs).toBe(withinMs);
  });

  it('comes before REINDEX_WAIT, which stands in for it', () => {
    expect(waitOf({}, { REINDEX_WAIT: '5m' }).withinMs).toBe(300_000);
    expect(waitOf({ wait: '1s' }, { REINDEX_WAIT: '5m' }).withinMs).toBe(1_000);
    expect(waitOf({}, { REINDEX_WAIT: '' }).withinMs).toBeNull();
  });

  it.each(['', '5', '-1s', '5 m', 'soon', '1e3s'])('is refused when it is no duration: "%s"', (given) => {
    expect(() => waitOf({ wait: given })).toThrow('--wait must be a duration, e.g. 90s, 30m or 2h');
  });
});

function waitOf(flags: Record<string, unknown>, environment: Record<string, string> = {}): LockWait {
  return lockWaitOf({ flags, offline: { environment } } as unknown as RecordContext, true);
}
