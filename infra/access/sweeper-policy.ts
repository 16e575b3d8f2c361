import type { Names } from '../names.ts';
import { functionArn, logStreamsArn } from './arns.ts';
import { changeTheGroup, keepTheJournal } from './fleet-statements.ts';
import { policy, type PolicyDocument, trust } from './policy-document.ts';

/** Allows what `sweep` calls, and the function's own log, which also carries its metrics. */
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

/** Allows the schedule's role to invoke the one function. */
export function schedulerPolicy(names: Names): PolicyDocument {
  return policy({
    Sid: 'InvokeTheSweeper',
    Effect: 'Allow',
    Action: 'lambda:InvokeFunction',
    Resource: functionArn(names),
  });
}

/** Lets only schedules of this account assume the role (the confused deputy). */
export function schedulerTrust({ place: { account } }: Names): PolicyDocument {
  return trust('scheduler', { StringEquals: { 'aws:SourceAccount': account } });
}
