import { systemClock } from '../../orchestrator/clock.ts';
import { sweepAndSay } from '../../orchestrator/command/sweep.ts';
import { messageOf, RunFailed } from '../../orchestrator/errors.ts';
import { connectFleet } from '../../orchestrator/fleet/connect-fleet.ts';
import type { Holder } from '../../orchestrator/journal/holder.ts';
import { jsonLines } from '../../orchestrator/report/json-reporter.ts';
import type { SweptResult } from '../../orchestrator/report/swept-words.ts';
import { openJournal } from '../../orchestrator/run/open-journal.ts';
import type { Environment } from '../../orchestrator/settings.ts';
import { embeddedMetrics } from './embedded-metrics.ts';
import { measureSweep, RECENT_INTERVALS, recentRun } from './measure.ts';
import { sweeperSettings } from './sweeper-settings.ts';

/** What is used of https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html */
export interface LambdaContext {
  readonly functionName: string;
  readonly logStreamName: string;
  /** Milliseconds until Lambda ends the function by force. */
  getRemainingTimeInMillis(): number;
}

export interface ScheduledSweepOptions {
  /** Of the function: its settings stand in it. */
  readonly environment: Environment;
  readonly context: LambdaContext;
  /** Takes one line of the log, with its end. */
  readonly write: (line: string) => void;
}

/**
 * So long before Lambda's end a sweep stops by itself: what hangs is let go after 2 s, and to give the lock back takes a
 * call, which is given up after 4 s without a byte. A lock that is not given back runs out by its lease.
 */
const STOP_BEFORE_END_MS = 10_000;

/**
 * One sweep, as `reindex-fleet sweep` does it: log, metrics and result. When it ends, also by failing, the lock is given
 * back, connections are closed and no timer is left, for Lambda freezes the process then, and may go on with it in an hour.
 * (But for a call that hangs when the time is over: it ends by its own time limit whenever the process goes on, and finds
 * the lock given back.)
 *
 * A process that lives and has the lock is no failure: there is `nothing to sweep`. All else that keeps the sweep from its
 * end fails the invocation, also what the command exits with 2 or 3 for. That somebody else took the lock in the midst
 * means that this process stood still or its bucket did not answer for a whole lease; nobody says then that the fleet is
 * at zero, so it is to be seen. The next sweep begins anew.
 *
 * @throws Faults, UsageFault, RunFailed, FleetHeld, Superseded: Lambda counts each as an error of the function
 */
export async function scheduledSweep(options: ScheduledSweepOptions): Promise<SweptResult> {
  const { environment, context, write } = options;
  const reporter = jsonLines(write, () => systemClock.monotonicMs());
  try {
    const { settings, intervalMs } = sweeperSettings(environment);
    const backend = await connectFleet(settings);
    const journal = openJournal(settings, environment);
    const deadline = startDeadline(context);
    try {
      const { store } = journal;
      const { swept, result } = await sweepAndSay({
        settings,
        lock: {
          store,
          leaseMs: settings.journal.lease_ms,
          holder: holderOf(context),
          stateOfHolder: () => Promise.resolve('unknown'),
          clock: systemClock,
          reporter,
          signal: deadline.signal,
        },
        openFleet: (pin) => backend.openFleet(pin),
      });
      const now = systemClock.now();
      const run = await recentRun(
        store,
        swept.standing,
        new Date(now.getTime() - RECENT_INTERVALS * intervalMs),
      );
      const measures = measureSweep(swept, run);
      if (measures !== null) write(`${embeddedMetrics(settings.fleet, measures, now)}\n`);
      return result;
    } finally {
      deadline.end();
      journal.close();
    }
  } catch (error) {
    reporter.failure(messageOf(error));
    throw error;
  }
}

/**
 * Named so that its log is found. Without an identity: Lambda's machines are made from snapshots, so two of them may have
 * the same boot, host and process id, and none could be proven dead.
 */
function holderOf({ functionName, logStreamName }: LambdaContext): Holder {
  return {
    host: `Lambda ${functionName}, log stream ${logStreamName}`,
    pid: process.pid,
    identity: null,
    since: systemClock.now().toISOString(),
    purpose: 'the scheduled sweep',
  };
}

function startDeadline(context: LambdaContext): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const afterMs = Math.max(0, context.getRemainingTimeInMillis() - STOP_BEFORE_END_MS);
  const stop = (): void =>
    controller.abort(
      new RunFailed(
        `the sweep is not done after ${Math.round(afterMs / 1000)} s, when the time limit of the function ${context.functionName} is near: the next one goes on`,
      ),
    );
  const timer = setTimeout(stop, afterMs);
  return { signal: controller.signal, end: () => clearTimeout(timer) };
}
