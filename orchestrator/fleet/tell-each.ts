import { Throttled } from '../errors.ts';
import { sideBySide } from '../side-by-side.ts';

/**
 * How many calls that change a fleet are made at once. It is below the 50 sockets of the SDK's client: a call that
 * waits for a socket counts as a connection that timed out, though nothing was sent
 * (https://docs.aws.amazon.com/sdk-for-javascript/v3/developer-guide/node-configuring-maxsockets.html). At 0.1 s a
 * call, 1,000 instances are told within 3 s.
 */
const AT_ONCE = 40;

/**
 * Tells instances something, some at a time and in their order. After the first throttled call it begins no more. They
 * would be refused as well, because all calls of an account share one allowance
 * (https://docs.aws.amazon.com/autoscaling/ec2/APIReference/Welcome.html, "API request rate").
 *
 * @param tell makes the call. A failure other than Throttled stops everything
 * @returns the instances whose call certainly did nothing, and may be made again later
 */
export async function tellEach(
  instances: readonly string[],
  tell: (instance: string) => Promise<void>,
): Promise<string[]> {
  const untold: string[] = [];
  let throttled = false;
  await sideBySide(instances, AT_ONCE, async (instance) => {
    try {
      if (throttled) untold.push(instance);
      else await tell(instance);
    } catch (error) {
      if (!(error instanceof Throttled)) throw error;
      throttled = true;
      untold.push(instance);
    }
  });
  return untold;
}
