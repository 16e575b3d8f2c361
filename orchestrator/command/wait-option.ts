import { UsageFault } from '../errors.ts';
import type { LockWait } from '../run/lock-wait.ts';
import { type RecordContext, runKeyOf } from './command.ts';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * How the command waits for the process that holds the fleet: by `--wait`, else by REINDEX_WAIT.
 *
 * @param forSameRun whether it waits by default for a process that works on the same run
 * @throws UsageFault when it is no duration
 */
export function lockWaitOf(context: RecordContext, forSameRun: boolean): LockWait {
  return { runKey: runKeyOf(context), forSameRun, withinMs: withinMsOf(context) };
}

function withinMsOf({ flags, offline }: RecordContext): number | null {
  const inherited = offline.environment.REINDEX_WAIT ?? '';
  const [origin, given] = flags.wait === undefined ? ['REINDEX_WAIT', inherited] : ['--wait', flags.wait];
  if (given === '' && flags.wait === undefined) return null;
  if (given === true) return Number.POSITIVE_INFINITY;
  if (given === '0') return 0;
  const text = typeof given === 'string' ? given : '';
  const [, amount, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text) ?? [];
  const unitMs = UNIT_MS[unit ?? ''];
  if (amount === undefined || unitMs === undefined)
    throw new UsageFault(`${origin} must be a duration, e.g. 90s, 30m or 2h; 0 waits for nothing`);
  return Number(amount) * unitMs;
}
