import type { Names } from '../names.ts';
import { bucketArn, groupArn } from './arns.ts';
import type { Statement } from './policy-document.ts';

/**
 * Allows what bringing a fleet to zero needs.
 *
 * IAM cannot name a single instance of a group. TerminateInstanceInAutoScalingGroup is allowed for a whole group, so a worker
 * that can end itself can also end the other instances of its group. It cannot end instances of another group.
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
 * Allows keys below the fleet's own prefix alone, so fleets that share a bucket cannot reach each other's claims. S3 answers
 * 404 for a missing object only to a caller that may list, and this check has no prefix. Hence `IfExists`: without it the
 * answer is 403. A caller that gives no prefix can therefore list the names, but not the contents, of a shared bucket.
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
