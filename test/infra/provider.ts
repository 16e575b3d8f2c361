import type { Registration } from './registration.ts';

/** What makes resources and answers questions, as a provider does for an engine. */
export interface Provider {
  /** @returns the resource's id, and what it has beside its inputs */
  create(registration: Registration): Promise<Created> | Created;
  /** A function, such as `aws:index/getRegion:getRegion`. */
  invoke(token: string, args: Values): Promise<Values> | Values;
}

export interface Created {
  readonly id: string;
  readonly outputs: Values;
}

type Values = Readonly<Record<string, unknown>>;

const ACCOUNT = '123456789012';
const REGION = 'eu-central-1';
/** The value of the random provider's double: 48 letters that a test finds everywhere. */
export const MADE_TOKEN = 'MadeTokenMadeTokenMadeTokenMadeTokenMadeTokenXyz';

const arnOf = (service: string, resource: string): string =>
  `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`;

/** What a resource has beside its inputs, by type and from its physical name. */
const OUTPUTS: Readonly<Record<string, (name: string) => Values & { readonly id?: string }>> = {
  'aws:autoscaling/group:Group': (name) => ({
    arn: arnOf('autoscaling', `autoScalingGroup:0:autoScalingGroupName/${name}`),
  }),
  'aws:cloudwatch/logGroup:LogGroup': (name) => ({ arn: arnOf('logs', `log-group:${name}`) }),
  'aws:cloudwatch/metricAlarm:MetricAlarm': (name) => ({ arn: arnOf('cloudwatch', `alarm:${name}`) }),
  'aws:ec2/launchTemplate:LaunchTemplate': () => ({ id: 'lt-00000000000000001', latestVersion: 1 }),
  'aws:ec2/securityGroup:SecurityGroup': () => ({ id: 'sg-00000000000000001' }),
  'aws:iam/policy:Policy': (name) => ({ arn: `arn:aws:iam::${ACCOUNT}:policy/${name}` }),
  'aws:iam/role:Role': (name) => ({ arn: `arn:aws:iam::${ACCOUNT}:role/${name}` }),
  'aws:lambda/function:Function': (name) => ({ arn: arnOf('lambda', `function:${name}`) }),
  'aws:s3/bucket:Bucket': (name) => ({ arn: `arn:aws:s3:::${name}` }),
  'random:index/randomPassword:RandomPassword': () => ({ result: MADE_TOKEN }),
};

const ANSWERS: Readonly<Record<string, Values>> = {
  'aws:index/getCallerIdentity:getCallerIdentity': { accountId: ACCOUNT },
  'aws:index/getPartition:getPartition': { partition: 'aws' },
  'aws:index/getRegion:getRegion': { region: REGION },
  'aws:ec2/getAmi:getAmi': { rootDeviceName: '/dev/xvda', architecture: 'arm64' },
  'aws:ssm/getParameter:getParameter': { value: 'ami-0123456789abcdef0' },
  'aws:ec2/getVpc:getVpc': { id: 'vpc-0000000000000000d' },
  'aws:ec2/getSubnets:getSubnets': { ids: ['subnet-0000000000000000a', 'subnet-0000000000000000b'] },
};

/** A provider that makes nothing. Every account has the same number. Every resource has what its inputs say. */
export const inventedProvider: Provider = {
  create({ type, name: logicalName, inputs }) {
    const name = [inputs.name, inputs.bucket].find((given) => typeof given === 'string') ?? logicalName;
    const { id = name, ...outputs } = OUTPUTS[type]?.(name) ?? {};
    return { id, outputs };
  },
  invoke(token) {
    const answer = ANSWERS[token];
    if (answer === undefined) throw new Error(`nobody answers ${token}`);
    return answer;
  },
};
