import type { Names } from '../names.ts';
import { functionArn, logStreamsArn } from './arns.ts';
import { changeTheGroup, keepTheJournal } from './fleet-statements.ts';
import { policy, type PolicyDocument, trust } from './policy-document.ts';

/** What `sweep` calls, and the function's own log, in which its metrics stand too. */
export function sweeperPolicy(names: Names): PolicyDocument {
  return policy(
    {
      Sid: 'Look',
      Effect: 'Allow',
      Action: ['autoscaling:DescribeAutoScalingGroups', 'ec2:DescribeInstances'],
      Resource: '*',
    },
    changeTheGroup(names),
    ...keepTheJournal(names),
    {
      Sid: 'WriteTheLog',
      Effect: 'Allow',
      Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      Resource: logStreamsArn(names),
    },
  );
}

/** What the schedule's role may do: invoke the one function. */
export function schedulerPolicy(names: Names): PolicyDocument {
  return policy({
    Sid: 'InvokeTheSweeper',
    Effect: 'Allow',
    Action: 'lambda:InvokeFunction',
    Resource: functionArn(names),
  });
}

/** Schedules of other accounts are not to take it on either (the confused deputy). */
export function schedulerTrust({ place: { account } }: Names): PolicyDocument {
  return trust('scheduler', { StringEquals: { 'aws:SourceAccount': account } });
}
