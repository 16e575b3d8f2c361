import { medianOf, type Spread, spreadOf } from '../statistics.ts';
import type { Arm } from './arm.ts';
import type { Outcome, Taken } from './turn.ts';

/** Outcomes of one arm, one for each round, in order. */
export interface ArmRounds {
  readonly arm: Pick<Arm, 'name' | 'family'>;
  readonly outcomes: readonly Outcome[];
}

/** What is compared; a higher figure is better. */
export const METRICS = {
  rate: (taken: Taken): number => taken.documents / taken.seconds,
  wholeRate: (taken: Taken): number => taken.documents / taken.wholeSeconds,
  perCpu: (taken: Taken): number => taken.documents / taken.cpuSeconds,
  wholePerCpu: (taken: Taken): number => taken.documents / taken.wholeCpuSeconds,
  perCpuWithDatabase: (taken: Taken): number =>
    taken.documents / (taken.cpuSeconds + taken.databaseCpuSeconds),
} as const;

export type Metric = keyof typeof METRICS;

/** The rounds in which an arm brought all documents. */
export function takenOf({ outcomes }: ArmRounds): Taken[] {
  return outcomes.filter((outcome): outcome is Taken => !('failed' in outcome));
}

/** Why an arm failed at first, and in how many rounds; null if it never did. */
export function failureOf({ outcomes }: ArmRounds): { readonly rounds: number; readonly why: string } | null {
  const reasons = outcomes.flatMap((outcome) => ('failed' in outcome ? [outcome.failed] : []));
  const [first] = reasons;
  // What a program says at last is what ended it; before that come the places in its code.
  return first === undefined ? null : { rounds: reasons.length, why: first.split('\n').at(-1) ?? first };
}

/** The arm of a choice whose median is the highest; null if none of them brought its documents. */
export function bestOf(
  rounds: readonly ArmRounds[],
  metric: Metric,
  isChosen: (arm: ArmRounds['arm']) => boolean,
): ArmRounds | null {
  const candidates = rounds
    .filter((candidate) => isChosen(candidate.arm) && takenOf(candidate).length > 0)
    .map((candidate) => ({ candidate, median: medianOf(takenOf(candidate).map(METRICS[metric])) }));
  return candidates.sort((a, b) => b.median - a.median)[0]?.candidate ?? null;
}

/** An arm's figure divided by another's in the same round, over the rounds that both finished; null without any. */
export function ratioOf(ours: ArmRounds, theirs: ArmRounds, metric: Metric): Spread | null {
  const ratios = ours.outcomes.flatMap((mine, round) => {
    const other = theirs.outcomes[round];
    if (other === undefined || 'failed' in mine || 'failed' in other) return [];
    return [METRICS[metric](mine) / METRICS[metric](other)];
  });
  return ratios.length === 0 ? null : spreadOf(ratios);
}
