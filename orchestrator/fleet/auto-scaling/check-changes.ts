import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import { isDenied } from '../../aws/aws-error.ts';
import { messageOf } from '../../errors.ts';
import type { Fleet } from '../fleet.ts';
import type { Findings } from './findings.ts';

/** No instance has this id. */
const NOBODY = 'i-00000000000000000';

/**
 * Finds out whether the run may make the two calls that change a group. Nothing changes by it. The caller must hold the
 * fleet's lock: then nobody raises a desired capacity of 0 while this function sets it to 0 again. A higher desired
 * capacity is left alone, because a worker that retires at this moment lowers it. The call is then proved when the
 * fleet is brought to zero before the first launch.
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
        : [`the check cannot tell whether the run may terminate workers: ${terminate}`],
  };
}

/** AWS's words when it does not allow a call. Null when AWS allows it, even if the call failed for another reason. */
async function denialOf(call: () => Promise<void>): Promise<string | null> {
  try {
    await call();
    return null;
  } catch (error) {
    return error instanceof Error && isDenied(error.cause) ? messageOf(error) : null;
  }
}

/**
 * Tells whether AWS judged the call on this group. AWS authorises the call on the group of the instance (resource type
 * `autoScalingGroup`,
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2autoscaling.html). A denial says `…
 * on resource: arn:aws:autoscaling:…:autoScalingGroupName/<name> because no identity-based policy allows …`. AWS does
 * not document on which resource it judges an instance that has no group. A policy that allows the call for this group
 * alone may refuse such an instance. So only a denial that names the group counts.
 */
function namesGroup(denial: string, { AutoScalingGroupName }: AutoScalingGroup): boolean {
  return denial.includes(`:autoScalingGroupName/${AutoScalingGroupName} `);
}
