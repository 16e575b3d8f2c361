import type { Names } from '../names.ts';

/** ARNs of a fleet's resources, made from their names. They are known before anything is made, so policies can name them. */

/** A `*` stands for the group's own id, which is known only after the group is made. */
export function groupArn({ place: { partition, region, account }, group }: Names): string {
  return `arn:${partition}:autoscaling:${region}:${account}:autoScalingGroup:*:autoScalingGroupName/${group}`;
}

/** @param name begins with a slash */
export function parameterArn({ place: { partition, region, account } }: Names, name: string): string {
  return `arn:${partition}:ssm:${region}:${account}:parameter/${name.replace(/^\//, '')}`;
}

export function bucketArn({ place: { partition }, bucket }: Names): string {
  return `arn:${partition}:s3:::${bucket}`;
}

export function functionArn({ place: { partition, region, account }, sweeper }: Names): string {
  return `arn:${partition}:lambda:${region}:${account}:function:${sweeper}`;
}

export function logStreamsArn({ place: { partition, region, account }, sweeperLogs }: Names): string {
  return `arn:${partition}:logs:${region}:${account}:log-group:${sweeperLogs}:log-stream:*`;
}
