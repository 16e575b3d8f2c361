import type { FleetInstance } from '../fleet/fleet.ts';
import { holderWords } from '../journal/holder.ts';
import { KEEP_LOCKS_MS, sweep, type Swept } from '../run/sweep.ts';
import { durationWords, plural } from '../report/words.ts';
import type { CommandResult, FleetContext } from './command.ts';
import { lockRequest } from './lock-request.ts';

const DAY_MS = 86_400_000;

/** Brings to zero what no live run holds, deletes from the journal what is too old, and says what it found. */
export async function sweepCommand(context: FleetContext): Promise<CommandResult> {
  const { offline, workers, reporter } = context;
  const { settings, store } = offline;
  const request = await lockRequest(context, 'sweep');
  const swept = await sweep({
    lock: { ...request, holder: { ...request.holder, sweeps: true } },
    openFleet: (pin) => workers.openFleet(pin),
    graceMs: settings.aws?.sweep_grace_ms ?? 0,
    keepMs: settings.journal.keep_days * DAY_MS,
    keepLocksMs: KEEP_LOCKS_MS,
  });
  const found = foundInstances(swept, new Date());
  for (const line of sweptLines(swept, found)) reporter.note(line);
  for (const line of cleanedLines(swept)) reporter.note(line);
  return {
    status: statusOf(swept),
    fleet: settings.fleet,
    journal: store.location,
    held_by: swept.claim?.runKey ?? null,
    process: swept.drivenBy,
    found,
    ended: found.flatMap(({ instance, done }) => (done === 'ended' ? [instance] : [])),
    left_alone_until: swept.graceUntil?.toISOString() ?? null,
    removed_runs: swept.cleaned.runs,
    removed_locks: swept.cleaned.locks,
  };
}

interface FoundInstance {
  readonly instance: string;
  readonly phase: FleetInstance['phase'];
  /** Whose it is, as the fleet says; null: nobody knows. */
  readonly run: string | null;
  readonly launched_at: string | null;
  readonly age_seconds: number | null;
  readonly done: 'ended' | 'left alone';
}

function foundInstances({ found, graceUntil }: Swept, now: Date): FoundInstance[] {
  return found.map(({ id, phase, run, launchedAt }) => ({
    instance: id,
    phase,
    run,
    launched_at: launchedAt,
    age_seconds:
      launchedAt === null ? null : Math.round((now.getTime() - new Date(launchedAt).getTime()) / 1000),
    done: graceUntil === null ? 'ended' : 'left alone',
  }));
}

function statusOf({ drivenBy, graceUntil }: Swept): string {
  if (drivenBy !== null) return 'nothing to sweep';
  return graceUntil === null ? 'swept' : 'left alone';
}

function sweptLines({ drivenBy, claim, graceUntil }: Swept, found: readonly FoundInstance[]): string[] {
  if (drivenBy !== null) {
    const what = claim === null ? 'the fleet' : `the run with key ${claim.runKey}`;
    return [`nothing to sweep: ${what} is driven by ${holderWords(drivenBy)}`];
  }
  const lines = found.map(
    ({ instance, phase, run, age_seconds: age, done }) =>
      `${instance}  ${phase}, ${run === null ? 'whose is not known' : `of run ${run}`}${age === null ? '' : `, ${durationWords(age)} old`}: ${done}`,
  );
  if (graceUntil !== null && claim !== null)
    return [
      ...lines,
      `the run with key ${claim.runKey} may be carried on any moment: its fleet is left alone until ${graceUntil.toISOString()}`,
    ];
  const kept =
    claim === null
      ? ''
      : `; \`reindex-fleet run\` carries the run with key ${claim.runKey} on, \`reindex-fleet abandon\` ends it`;
  return [...lines, `the fleet ${found.length === 0 ? 'was' : 'is'} at zero${kept}`];
}

function cleanedLines({ cleaned: { runs, locks } }: Swept): string[] {
  if (runs.length === 0 && locks === 0) return [];
  return [`deleted from the journal: ${plural(runs.length, 'old run')}, ${plural(locks, 'old lock')}`];
}
