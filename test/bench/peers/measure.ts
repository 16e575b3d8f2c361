import { orderOf } from '../statistics.ts';
import type { Sink } from '../sinks/sink.ts';
import type { Arm, Work } from './arm.ts';
import type { ArmRounds } from './comparison.ts';
import { type Documents, documentsHash, documentsOf, firstDifference } from './same-documents.ts';
import { turnLine } from './report.ts';
import { type Outcome, takeTurn } from './turn.ts';

/** Enough for every value that the sample table repeats. */
export const SAMPLE_ROWS = 500;

export interface SameArms {
  /** Those whose documents equal the first arm's. */
  readonly arms: readonly Arm[];
  /** Why each of the others is left out, a sentence each. */
  readonly refused: readonly string[];
  /** Of the first arm's sample, as JSON. */
  readonly documentBytes: number;
  readonly hash: string;
}

/** Lets each arm write the same rows and leaves out those whose documents differ from the first arm's. */
export async function armsWithSameDocuments(
  arms: readonly Arm[],
  work: Omit<Work, 'sinkUrl'>,
): Promise<SameArms> {
  const [first, ...others] = arms;
  if (first === undefined) throw new Error('There is no arm to measure.');
  const expected = await documentsOf(first, work);
  const refused: string[] = [];
  const same = [first];
  for (const arm of others) {
    const difference = await differenceOf(arm, work, expected);
    if (difference === null) same.push(arm);
    else refused.push(`${arm.name} is left out: ${difference}.`);
  }
  const bytes = [...expected.values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return { arms: same, refused, documentBytes: bytes / expected.size, hash: documentsHash(expected) };
}

async function differenceOf(
  arm: Arm,
  work: Omit<Work, 'sinkUrl'>,
  expected: Documents,
): Promise<string | null> {
  try {
    return firstDifference(expected, await documentsOf(arm, work));
  } catch (error) {
    return (error as Error).message;
  }
}

/** Each arm writes all documents once a round, one after the other, in an order that changes from round to round. */
export async function measureRounds(
  arms: readonly Arm[],
  work: Work,
  { sink, rounds }: { readonly sink: Sink; readonly rounds: number },
): Promise<ArmRounds[]> {
  const outcomes = new Map(arms.map((arm) => [arm, [] as Outcome[]]));
  for (let round = 0; round < rounds; round += 1)
    for (const arm of orderOf(arms, round)) {
      const outcome = await takeTurn(arm, work, sink);
      console.log(turnLine(round + 1, arm.name, outcome));
      outcomes.get(arm)?.push(outcome);
    }
  return arms.map((arm) => ({ arm, outcomes: outcomes.get(arm) ?? [] }));
}
