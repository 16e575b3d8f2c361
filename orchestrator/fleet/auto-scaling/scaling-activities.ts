import type { Activity } from '@aws-sdk/client-auto-scaling';
import type { LaunchFailure } from '../../reconcile/observation.ts';

/**
 * Launches that failed since a time, newest first, in the cloud's words. An activity that ended with any status but
 * `Successful` has failed: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Activity.html
 */
export function launchFailuresOf(activities: readonly Activity[], since: Date): LaunchFailure[] {
  return activities
    .filter((activity) => isFailedLaunch(activity) && beganAt(activity) >= since.getTime())
    .sort((a, b) => beganAt(b) - beganAt(a))
    .map((activity) => ({ at: new Date(beganAt(activity)).toISOString(), reason: reasonOf(activity) }));
}

/** Whether a page of activities, newest first, shows the newest failed launch or reaches back to `since`. */
export function showsEnough(page: readonly Activity[], since: Date): boolean {
  return page.some((activity) => isFailedLaunch(activity) || beganAt(activity) < since.getTime());
}

/**
 * Tells a failed launch by `Launching a new EC2 instance.  Status Reason: …`. A group that may end no instance cancels
 * activities too.
 */
function isFailedLaunch({ StatusCode, Description = '' }: Activity): boolean {
  return (StatusCode === 'Failed' || StatusCode === 'Cancelled') && Description.startsWith('Launching');
}

function beganAt({ StartTime }: Activity): number {
  return StartTime?.getTime() ?? 0;
}

function reasonOf({ StatusMessage, Description, Cause }: Activity): string {
  const said = StatusMessage ?? Description ?? Cause ?? 'the group gives no reason';
  // The words become part of a sentence.
  const words = said.trimEnd().replace(/\.$/, '');
  const code = CODES.find(([, pattern]) => pattern.test(words))?.[0] ?? null;
  return code === null || words.includes(code) ? words : `${code}: ${words}`;
}

/**
 * The codes of errors by their messages. Some of the group's messages lack the code, and a person looks an error up by
 * it: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ts-as-capacity.html and ts-as-instancelaunchfailure.html
 */
const CODES: readonly (readonly [code: string, words: RegExp])[] = [
  ['InsufficientInstanceCapacity', /not have sufficient .*capacity|no Spot capacity available/i],
  ['MaxSpotInstanceCountExceeded', /max spot instance count exceeded/i],
  ['VcpuLimitExceeded', /more vCPU capacity than your current/i],
  ['InstanceLimitExceeded', /instances? .*than your current (instance )?limit/i],
  ['Unsupported', /requested configuration is currently not supported/i],
  ['InsufficientFreeAddressesInSubnet', /not enough free addresses|insufficient free addresses/i],
  ['InvalidAMIID.NotFound', /image id .* does not exist|AMI ID .* does not exist/i],
];
