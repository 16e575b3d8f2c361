import type { Names } from '../names.ts';
import { groupArn, parameterArn } from './arns.ts';
import { policy, type PolicyDocument } from './policy-document.ts';

/**
 * What a worker's instance may do: read the fleet's settings, and end itself (see `changeTheGroup` for what IAM cannot keep
 * it from). It reaches neither bucket nor other parameters, and launches nothing.
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
