import type { Names } from '../names.ts';
import { bucketArn, groupArn } from './arns.ts';
import type { Statement } from './policy-document.ts';

/**
 * What whoever brings a fleet to zero may do with its group.
 *
 * IAM knows no single instance of a group: TerminateInstanceInAutoScalingGroup is allowed for a group, so each worker that
 * may end itself may end its neighbours too, though none in another group.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2autoscaling.html
 */
export function changeTheGroup(names: Names): Statement {
  return {
    Sid: 'ChangeTheGroup',
    Effect: 'Allow',
    Action: ['autoscaling:SetDesiredCapacity', 'autoscaling:TerminateInstanceInAutoScalingGroup'],
    Resource: groupArn(names),
  };
}

/**
 * Keys below the fleet's own prefix alone: fleets that share a bucket cannot touch each other's claims. `IfExists`, for S3
 * answers 404 for an object that is not there only to whoever may list, and with that question comes no prefix; without it
 * the answer is 403. (So names, not contents, of a shared bucket can be listed by whoever gives no prefix.)
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, Permissions
 */
export function keepTheJournal(names: Names): Statement[] {
  const prefix = `${names.journalPrefix}/${names.fleet}`;
  return [
    {
      Sid: 'ListTheJournal',
      Effect: 'Allow',
      Action: 's3:ListBucket',
      Resource: bucketArn(names),
      Condition: { StringLikeIfExists: { 's3:prefix': `${prefix}/*` } },
    },
    {
      Sid: 'KeepTheJournal',
      Effect: 'Allow',
      Action: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'],
      Resource: `${bucketArn(names)}/${prefix}/*`,
    },
  ];
}
