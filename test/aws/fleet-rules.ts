import type { LoggedCall } from './api-proxy.ts';

/** Calls that change something. */
const CHANGES =
  /^(Terminate|Set|Create|Put|Delete|Update|Attach|Detach|Enter|Exit|Suspend|Resume|Start|Stop|Run|Reboot|Modify|Execute)/;

/**
 * Each instance that was asked to be terminated with a decrement again, though the caller could not know that the earlier
 * call had no effect. That it had none in truth is no excuse.
 */
export function secondDecrements(calls: readonly LoggedCall[]): string[] {
  const decremented = new Set<string>();
  const twice = new Set<string>();
  for (const call of calls) {
    const id = call.parameters['InstanceId'];
    const decrements = call.parameters['ShouldDecrementDesiredCapacity'] === 'true';
    if (call.action !== 'TerminateInstanceInAutoScalingGroup' || id === undefined || !decrements) continue;
    if (decremented.has(id)) twice.add(id);
    if (!wasRefused(call)) decremented.add(id);
  }
  return [...twice];
}

/** Whether the answer says that AWS did nothing. ResourceContention is a refusal, though its status is 500. */
function wasRefused({ status, errorCode }: LoggedCall): boolean {
  return (
    (status !== null && status >= 400 && status < 500) || (errorCode ?? '').startsWith('ResourceContention')
  );
}

/** The check before a run asks whether it may terminate by naming an instance that cannot be. */
export const NOBODY = 'i-00000000000000000';

/** A line for each call that changed another group, or an instance that is not one of these. */
export function callsOutside(
  calls: readonly LoggedCall[],
  { group, instanceIds }: { readonly group: string; readonly instanceIds: readonly string[] },
): string[] {
  const isOutside = ({ service, action, parameters, instanceIds: named }: LoggedCall): boolean => {
    if (!['autoscaling', 'ec2'].includes(service) || !CHANGES.test(action)) return false;
    const other = parameters['AutoScalingGroupName'] ?? group;
    const namesNothing = parameters['AutoScalingGroupName'] === undefined && named.length === 0;
    return other !== group || namesNothing || named.some((id) => id !== NOBODY && !instanceIds.includes(id));
  };
  return calls
    .filter(isOutside)
    .map(({ action, parameters, instanceIds: named }) =>
      [action, parameters['AutoScalingGroupName'], ...named].filter((word) => word !== undefined).join(' '),
    );
}
