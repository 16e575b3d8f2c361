import { awsErrorText, hadNoEffect } from './aws-error.ts';
import type { TerminateAnswer } from './retire.ts';

/** After this time the answer counts as lost. */
const CALL_TIMEOUT_MS = 10_000;

/** Auto Scaling answers both with a `ValidationError`. Only its text says which one it is. */
const AT_MINIMUM = /min(imum)?\s*size/i;
const NOT_MANAGED = /no managed instance|not found/i;
/** An answer of status 500 that still means that AWS did nothing: another update is under way. */
const CONTENTION = 'ResourceContentionFault';

/**
 * Asks the instance's Auto Scaling group to terminate it. It makes one attempt, because a repeated decrement would end another
 * instance. It never rejects.
 */
export async function terminateInstance(
  instance: { readonly id: string; readonly region: string },
  decrement: boolean,
): Promise<TerminateAnswer> {
  const { id, region } = instance;
  try {
    const { AutoScalingClient, TerminateInstanceInAutoScalingGroupCommand } = await import(
      '@aws-sdk/client-auto-scaling'
    );
    const client = new AutoScalingClient({ region, maxAttempts: 1 });
    const command = new TerminateInstanceInAutoScalingGroupCommand({
      InstanceId: id,
      ShouldDecrementDesiredCapacity: decrement,
    });
    const { Activity: activity } = await client
      .send(command, { abortSignal: AbortSignal.timeout(CALL_TIMEOUT_MS) })
      .finally(() => client.destroy());
    if (activity !== undefined) return { result: 'accepted' };
    return {
      result: 'unknown',
      detail: `what answered is not AWS: its answer has no Activity (${id}, ${region})`,
    };
  } catch (error) {
    const call = { action: 'autoscaling:TerminateInstanceInAutoScalingGroup', resource: id, region };
    return { result: resultOf(error), detail: awsErrorText(error, call) };
  }
}

function resultOf(error: unknown): Exclude<TerminateAnswer['result'], 'accepted'> {
  const { name, message } = error instanceof Error ? error : { name: '', message: '' };
  if (name === 'ValidationError' && AT_MINIMUM.test(message)) return 'at_minimum';
  if (name === 'ValidationError' && NOT_MANAGED.test(message)) return 'not_managed';
  return name === CONTENTION || hadNoEffect(error) ? 'refused' : 'unknown';
}
