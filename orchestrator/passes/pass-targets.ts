import type { DescribedTarget, RunContext } from '../run/context.ts';
import type { Pass } from './pass.ts';

/** The targets that a pass writes, as the run knows them. */
export function targetsOf({ targets }: Pick<RunContext, 'targets'>, pass: Pass): DescribedTarget[] {
  return pass.targets.map((index) => {
    const target = targets.find((candidate) => candidate.index === index);
    if (target === undefined)
      throw new Error(`pass ${pass.number} writes ${index}, which is not a target of this run`);
    return target;
  });
}
