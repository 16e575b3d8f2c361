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

/** The part that is used of https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html */
export interface LambdaContext {
  readonly functionName: string;
  readonly logStreamName: string;
  /** Milliseconds until Lambda ends the function by force. */
  getRemainingTimeInMillis(): number;
}

export interface ScheduledSweepOptions {
  /** The function's environment, which has its settings. */
  readonly environment: Environment;
  readonly context: LambdaContext;
  /** Takes one line of the log, with its end. */
  readonly write: (line: string) => void;
}

/**
 * A sweep stops by itself this long before Lambda ends it. Calls that hang get 2 s. Giving the lock back is one more call,
 * which ends after 4 s without a byte. A lock that is not given back expires with its lease.
 */
const STOP_BEFORE_END_MS = 10_000;

/**
 * Does one sweep, as `reindex-fleet sweep` does it, and writes log, metrics and result. After its end Lambda freezes the
 * process, and may resume it an hour later. So at its end, also after a failure, the lock is given back, connections are
 * closed, and no timer is left. A call that still hangs when the time is over is the exception. Its own time limit ends it
 * when the process is resumed, and the lock is then already given back.
 *
 * A live process that has the lock is no failure: there is `nothing to sweep`. Everything else that stops the sweep fails the
 * invocation, also what makes the command exit 2 or 3. If another process took the lock in the middle, this process stood
 * still, or its bucket did not answer for a whole lease. Then nothing shows that the fleet is at zero, so a person should see
 * it. The next sweep begins anew.
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
 * Describes this process so that a person finds its log. It has no identity of a machine: Lambda makes machines from snapshots,
 * so two of them may have the same boot, host and process id. Nobody could prove that one of them is dead.
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
        `the sweep is not done after ${Math.round(afterMs / 1000)} s, and the time limit of the function ${context.functionName} is near; the next sweep goes on`,
      ),
    );
  const timer = setTimeout(stop, afterMs);
  return { signal: controller.signal, end: () => clearTimeout(timer) };
}
