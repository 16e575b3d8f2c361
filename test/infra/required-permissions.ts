import type { AwsCall } from '../aws/aws-call.ts';
import type { RequestContext } from './policy-conditions.ts';

/**
 * What IAM asks for a call, after the Service Authorization Reference and the API references:
 * - https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2autoscaling.html
 * - https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
 * - https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html
 * - https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 * - https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html: no permission is needed
 *
 * Parameters are encrypted with AWS's key for Parameter Store, for which nobody needs `kms:Decrypt` of his own:
 * https://docs.aws.amazon.com/systems-manager/latest/userguide/secure-string-parameter-kms-encryption.html
 */

export interface RequiredPermission {
  readonly action: string;
  /** An ARN; `*` where the action knows none. */
  readonly resource: string;
  readonly context: RequestContext;
}

/** Facts at the moment of a call that the call itself does not contain. */
export interface CloudFacts {
  readonly place: { readonly partition: string; readonly region: string; readonly account: string };
  /** Null: there is none of that name. */
  groupArn(name: string): Promise<string | null>;
  /** Of the group that the instance is or was in; null: in none. */
  groupArnOfInstance(instanceId: string): Promise<string | null>;
  hasObject(bucket: string, key: string): Promise<boolean>;
}

/** @throws Error at a call of which it is not known what IAM asks for it */
export async function permissionsOf(call: AwsCall, facts: CloudFacts): Promise<RequiredPermission[]> {
  const name = `${call.service}:${call.action}`;
  if (DESCRIBES.test(name)) return [{ action: name, resource: '*', context: {} }];
  const rule = RULES[name];
  if (rule === undefined) throw new Error(`What IAM asks for ${name} is not known here.`);
  return await rule(call.parameters, facts);
}

/** None of them knows a resource. */
const DESCRIBES = /^(autoscaling|ec2):Describe[A-Za-z]+$/;

type Rule = (
  parameters: AwsCall['parameters'],
  facts: CloudFacts,
) => RequiredPermission[] | Promise<RequiredPermission[]>;

const RULES: Readonly<Record<string, Rule>> = {
  'sts:GetCallerIdentity': () => [],
  'autoscaling:SetDesiredCapacity': async ({ AutoScalingGroupName: group = '' }, facts) =>
    on((await facts.groupArn(group)) ?? '*', 'autoscaling:SetDesiredCapacity'),
  // On what an instance of no group is judged is not documented; with `*` a policy for one group refuses it.
  'autoscaling:TerminateInstanceInAutoScalingGroup': async ({ InstanceId: id = '' }, facts) =>
    on((await facts.groupArnOfInstance(id)) ?? '*', 'autoscaling:TerminateInstanceInAutoScalingGroup'),
  'ssm:GetParameter': ({ Name: name = '' }, facts) => on(parameterArn(facts, name), 'ssm:GetParameter'),
  // Of the path as it is called, with a slash at its end if it has one; not of the parameters below it.
  'ssm:GetParametersByPath': ({ Path: path = '' }, facts) =>
    on(parameterArn(facts, path), 'ssm:GetParametersByPath'),
  's3:GetObject': readsObject,
  's3:HeadObject': readsObject,
  's3:PutObject': (parameters, facts) => {
    if ('if-match' in parameters)
      throw new Error('What IAM asks for a write under If-Match is not known here.');
    return on(objectArn(parameters, facts), 's3:PutObject');
  },
  's3:DeleteObject': (parameters, facts) => on(objectArn(parameters, facts), 's3:DeleteObject'),
  's3:ListObjectsV2': (parameters, facts) => [
    {
      action: 's3:ListBucket',
      resource: bucketArn(parameters, facts),
      context: 'Prefix' in parameters ? { 's3:prefix': parameters['Prefix'] ?? '' } : {},
    },
  ],
  's3:HeadBucket': (parameters, facts) => on(bucketArn(parameters, facts), 's3:ListBucket'),
};

function on(resource: string, action: string): RequiredPermission[] {
  return [{ action, resource, context: {} }];
}

/**
 * Who may not list is not told that an object is not there: 403 in place of 404.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, Permissions
 */
async function readsObject(
  parameters: AwsCall['parameters'],
  facts: CloudFacts,
): Promise<RequiredPermission[]> {
  const { Bucket: bucket = '', Key: key = '' } = parameters;
  return [
    ...on(objectArn(parameters, facts), 's3:GetObject'),
    ...((await facts.hasObject(bucket, key)) ? [] : on(bucketArn(parameters, facts), 's3:ListBucket')),
  ];
}

function parameterArn({ place: { partition, region, account } }: CloudFacts, name: string): string {
  return `arn:${partition}:ssm:${region}:${account}:parameter/${name.replace(/^\//, '')}`;
}

function bucketArn({ Bucket: bucket = '' }: AwsCall['parameters'], { place }: CloudFacts): string {
  return `arn:${place.partition}:s3:::${bucket}`;
}

function objectArn(parameters: AwsCall['parameters'], facts: CloudFacts): string {
  return `${bucketArn(parameters, facts)}/${parameters['Key'] ?? ''}`;
}
