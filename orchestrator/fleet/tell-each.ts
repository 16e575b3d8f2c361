import { Throttled } from '../errors.ts';
import { sideBySide } from '../side-by-side.ts';

/**
 * Calls that change a fleet and are under way at once. Below the 50 sockets of the SDK's client: what waits for one of them
 * counts as a connection that was not made in time, though nothing was sent
 * (https://docs.aws.amazon.com/sdk-for-javascript/v3/developer-guide/node-configuring-maxsockets.html).
 * With 0.1 s a call 1,000 instances are told within 3 s.
 */
const AT_ONCE = 40;

/**
 * Tells instances something, some at a time and in their order. After the first call that is throttled no more are begun:
 * they would be refused as well, and all calls of an account share one allowance
 * (https://docs.aws.amazon.com/autoscaling/ec2/APIReference/Welcome.html, "API request rate").
 *
 * @param tell another failure of it than Throttled ends it all
 * @returns those whose call certainly did nothing, and may be made again later
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
