import type { FleetInstance } from '../fleet/fleet.ts';
import { type Holder, holderWords } from '../journal/holder.ts';
import type { Swept } from '../run/sweep.ts';
import { durationWords, plural } from './words.ts';

/** What a sweep did, as the last line of its output. */
export interface SweptResult {
  readonly status: 'nothing to sweep' | 'swept' | 'left alone';
  readonly fleet: string;
  /** Where the journal is. */
  readonly journal: string;
  /** The key of the unfinished run that holds the fleet. */
  readonly held_by: string | null;
  /** The live process that has the lock. */
  readonly process: Holder | null;
  readonly found: readonly FoundInstance[];
  readonly ended: readonly string[];
  readonly left_alone_until: string | null;
  readonly removed_runs: readonly string[];
  readonly removed_locks: number;
}

interface FoundInstance {
  readonly instance: string;
  readonly phase: FleetInstance['phase'];
  /** The run that it belongs to, as the fleet says. Null when nobody knows. */
  readonly run: string | null;
  readonly launched_at: string | null;
  readonly age_seconds: number | null;
  readonly done: 'ended' | 'left alone';
}

export function sweptResult(
  swept: Swept,
  { fleet, journal, now }: { readonly fleet: string; readonly journal: string; readonly now: Date },
): SweptResult {
  const found = foundInstances(swept, now);
  return {
    status: statusOf(swept),
    fleet,
    journal,
    held_by: swept.standing.unfinished?.runKey ?? null,
    process: swept.drivenBy,
    found,
    ended: found.flatMap(({ instance, done }) => (done === 'ended' ? [instance] : [])),
    left_alone_until: swept.graceUntil?.toISOString() ?? null,
    removed_runs: swept.cleaned.runs,
    removed_locks: swept.cleaned.locks,
  };
}

/** What a sweep did, as lines for a person. */
export function sweptLines(result: SweptResult): string[] {
  return [...fleetLines(result), ...cleanedLines(result)];
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

function statusOf({ drivenBy, graceUntil }: Swept): SweptResult['status'] {
  if (drivenBy !== null) return 'nothing to sweep';
  return graceUntil === null ? 'swept' : 'left alone';
}

function fleetLines({
  process,
  held_by: runKey,
  left_alone_until: graceUntil,
  found,
}: SweptResult): string[] {
  if (process !== null) {
    const what = runKey === null ? 'the fleet' : `the run with key ${runKey}`;
    return [`nothing to sweep: a live process drives ${what} (${holderWords(process)})`];
  }
  const lines = found.map(
    ({ instance, phase, run, age_seconds: age, done }) =>
      `${instance}  ${phase}, ${run === null ? 'of an unknown run' : `of run ${run}`}${age === null ? '' : `, ${durationWords(age)} old`}: ${done}`,
  );
  if (graceUntil !== null && runKey !== null)
    return [
      ...lines,
      `the run with key ${runKey} may be carried on at any moment, so the sweep leaves its fleet alone until ${graceUntil}`,
    ];
  const kept =
    runKey === null
      ? ''
      : `; \`reindex-fleet run\` carries the run with key ${runKey} on, \`reindex-fleet abandon\` ends it`;
  return [...lines, `the fleet ${found.length === 0 ? 'was' : 'is'} at zero${kept}`];
}

function cleanedLines({ removed_runs: runs, removed_locks: locks }: SweptResult): string[] {
  if (runs.length === 0 && locks === 0) return [];
  return [`deleted from the journal: ${plural(runs.length, 'old run')}, ${plural(locks, 'old lock')}`];
}
