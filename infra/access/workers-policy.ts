import type { Names } from '../names.ts';
import { groupArn, parameterArn } from './arns.ts';
import { policy, type PolicyDocument } from './policy-document.ts';

/**
 * Allows a worker's instance to read the fleet's settings and to end itself. It cannot reach the bucket or other parameters,
 * and cannot launch anything. `changeTheGroup` says what IAM cannot forbid.
 */
export function workersPolicy(names: Names): PolicyDocument {
  return policy(
    {
      Sid: 'EndTheOwnInstance',
      Effect: 'Allow',
      Action: 'autoscaling:TerminateInstanceInAutoScalingGroup',
      Resource: groupArn(names),
    },
    {
      Sid: 'ReadTheSettings',
      Effect: 'Allow',
      Action: 'ssm:GetParametersByPath',
      // The path itself: that is what the call names.
      Resource: parameterArn(names, names.workerParameters),
    },
  );
}
