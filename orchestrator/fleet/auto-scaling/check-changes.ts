import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import { isDenied } from '../../aws/aws-error.ts';
import { messageOf } from '../../errors.ts';
import type { Fleet } from '../fleet.ts';
import type { Findings } from './findings.ts';

/** No instance has it. */
const NOBODY = 'i-00000000000000000';

/**
 * Whether the two calls that change a group are allowed, by calls that change nothing. Only for who holds the fleet's lock:
 * a desired capacity of 0 is set to 0 where nobody else may raise it. Any other is left alone, for a worker that retires
 * at this moment lowers it; the fleet is brought to zero before the first launch, and that shows it as well.
 */
export async function checkChanges(fleet: Fleet, group: AutoScalingGroup): Promise<Findings> {
  const [set, terminate] = await Promise.all([
    group.DesiredCapacity === 0 ? denialOf(() => fleet.setDesired(0)) : null,
    denialOf(() => fleet.terminate(NOBODY, { decrement: false })),
  ]);
  const isCertain = terminate !== null && namesGroup(terminate, group);
  return {
    faults: [...(set === null ? [] : [set]), ...(isCertain ? [terminate] : [])],
    warnings:
      terminate === null || isCertain
        ? []
        : [`whether workers may be terminated could not be seen beforehand: ${terminate}`],
  };
}

/** What AWS says when it does not allow a call; null: it does, though the call may have failed. */
async function denialOf(call: () => Promise<void>): Promise<string | null> {
  try {
    await call();
    return null;
  } catch (error) {
    return error instanceof Error && isDenied(error.cause) ? messageOf(error) : null;
  }
}

/**
 * The call is authorised on the group of its instance (resource type `autoScalingGroup`,
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2autoscaling.html), and a denial says
 * `… on resource: arn:aws:autoscaling:…:autoScalingGroupName/<name> because no identity-based policy allows …`. On which
 * resource an instance of no group is judged is not documented: a policy that allows the call for this group alone may
 * refuse it. So only a denial that names the group is one.
 */
function namesGroup(denial: string, { AutoScalingGroupName }: AutoScalingGroup): boolean {
  return denial.includes(`:autoScalingGroupName/${AutoScalingGroupName} `);
}
