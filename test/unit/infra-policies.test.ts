import { readdirSync, readFileSync } from 'node:fs';
import * as aws from '@pulumi/aws';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { policies } from '../../infra/policies/policies.ts';
import { WITHOUT_TAGS } from '../../infra/policies/tags.ts';
import { FLEET_TAG } from '../../infra/tags.ts';
import { leavesOf, planted, resourceIn } from '../infra/planted.ts';
import { reportedOf, type Shown, shownTo } from '../infra/policy-run.ts';
import { runProgram } from '../infra/program-run.ts';
import { UNKNOWN } from '../infra/property-values.ts';
import { configurations, LEAST } from '../infra/stack-configurations.ts';

let stack: readonly Shown[];

beforeAll(async () => {
  stack = shownTo(await runProgram({ ...LEAST, target_api_key: 'a-key' }));
});

describe('the policy pack on a stack of this project', () => {
  it('reports no violation for any settings, in a preview and in a deployment', async () => {
    await fc.assert(
      fc.asyncProperty(configurations, fc.boolean(), async (configuration, preview) => {
        expect(await reportedOf(shownTo(await runProgram(configuration, { preview })))).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  it('reports no violation for a value that only the deployment will know', async () => {
    const places = stack.flatMap((resource) => leavesOf(resource.props).map((path) => ({ resource, path })));
    expect(places.length).toBeGreaterThan(300);
    for (const { resource, path } of places)
      expect(await reportedOf(planted([resource], nameAndType(resource), path, UNKNOWN))).toEqual(
        // Alone a bucket lacks what makes it private.
        await reportedOf([resource]),
      );
  });

  it('reports no violation for a part of a bucket that is not known yet', async () => {
    for (const part of stack.filter(
      ({ type, name }) => type.startsWith('aws:s3/') && name === 'fleet-journal',
    ))
      for (const path of leavesOf(part.props))
        expect(await reportedOf(planted(stack, nameAndType(part), path, UNKNOWN))).toEqual([]);
  });
});

const TEMPLATE = 'fleet-workers:LaunchTemplate';
const GROUP = 'fleet-workers:Group';
const SPECIFICATION = 'mixedInstancesPolicy.launchTemplate.launchTemplateSpecification';

const allow = (statement: object) => ({
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', ...statement },
});
const allowText = (statement: object) => JSON.stringify(allow(statement));
const action = (name: string | readonly string[]) => allowText({ Action: name, Resource: '*' });
const principal = (who: unknown) => allowText({ Action: 'sts:AssumeRole', Principal: who });

/** Of each policy: a resource of the stack, a place in it, and what does not belong there. */
const MISTAKES: Readonly<
  Record<string, readonly (readonly [resource: string, path: string, value: unknown])[]>
> = {
  'no-public-ingress': [
    ['SecurityGroupIngressRule', 'cidrIpv4', '0.0.0.0/0'],
    ['SecurityGroupIngressRule', 'cidrIpv4', '10.0.0.0/7'],
    ['SecurityGroupIngressRule', 'cidrIpv4', '100.64.0.0/1'],
    ['SecurityGroupIngressRule', 'cidrIpv4', '8.8.8.8/32'],
    ['SecurityGroupIngressRule', 'cidrIpv6', '::/0'],
    ['SecurityGroupIngressRule', 'cidrIpv6', 'fc00::/6'],
    ['SecurityGroupIngressRule', 'cidrIpv6', '2a05:d014::/32'],
    ['fleet-network:SecurityGroup', 'ingress', [{ cidrBlocks: ['10.0.0.0/8', '0.0.0.0/0'] }]],
    ['fleet-network:SecurityGroup', 'ingress', [{ self: true }, { ipv6CidrBlocks: ['::/0'] }]],
  ],
  'instance-metadata-v2': [
    [TEMPLATE, 'metadataOptions.httpTokens', 'optional'],
    [TEMPLATE, 'metadataOptions.httpTokens', undefined],
    [TEMPLATE, 'metadataOptions', undefined],
    [TEMPLATE, 'metadataOptions.httpPutResponseHopLimit', 3],
    [TEMPLATE, 'metadataOptions.instanceMetadataTags', 'disabled'],
  ],
  'encrypted-volumes': [
    [TEMPLATE, 'blockDeviceMappings.0.ebs.encrypted', 'false'],
    [TEMPLATE, 'blockDeviceMappings.0.ebs.encrypted', undefined],
    [TEMPLATE, 'blockDeviceMappings', undefined],
    [TEMPLATE, 'blockDeviceMappings', []],
    [TEMPLATE, 'blockDeviceMappings', [{ deviceName: '/dev/sdb', virtualName: 'ephemeral0' }]],
  ],
  'secret-parameters': [
    ['fleet-worker-token:Parameter', 'type', 'String'],
    ['fleet-worker-database-url:Parameter', 'type', 'String'],
    ['fleet-worker-search-url:Parameter', 'type', 'StringList'],
    ['fleet-worker-search-api-key:Parameter', 'type', 'String'],
    ['fleet-image:Parameter', 'name', '/reindex-fleet/books/adminPassword'],
  ],
  'fleet-tags': [
    [TEMPLATE, 'tagSpecifications.0.tags', { Name: 'mine' }],
    [TEMPLATE, 'tagSpecifications.1.resourceType', 'elastic-gpu'],
    [TEMPLATE, 'tagSpecifications', undefined],
    [GROUP, 'tags', [{ key: FLEET_TAG, value: 'production', propagateAtLaunch: false }]],
    [GROUP, 'tags', [{ key: 'Name', value: 'mine', propagateAtLaunch: true }]],
    ['fleet-journal:Bucket', `tags.${FLEET_TAG}`, ''],
  ],
  'fleet-at-zero': [
    [GROUP, 'minSize', 1],
    [GROUP, 'minSize', undefined],
    [GROUP, 'desiredCapacity', 2],
    [GROUP, 'protectFromScaleIn', false],
    [GROUP, 'suspendedProcesses', []],
    [GROUP, 'suspendedProcesses', ['ScheduledActions']],
    [GROUP, 'capacityRebalance', true],
    [GROUP, 'warmPool', { poolState: 'Stopped', minSize: 1 }],
    [GROUP, 'maxInstanceLifetime', 86_400],
    [GROUP, 'instanceRefresh', { strategy: 'Rolling' }],
    [GROUP, `${SPECIFICATION}.version`, '$Latest'],
    [GROUP, `${SPECIFICATION}.version`, '$Default'],
    [GROUP, `${SPECIFICATION}.version`, undefined],
    [GROUP, 'mixedInstancesPolicy', undefined],
    [
      GROUP,
      'mixedInstancesPolicy.launchTemplate.overrides.0.launchTemplateSpecification',
      { launchTemplateId: 'lt-2', version: '$Latest' },
    ],
    [TEMPLATE, 'instanceInitiatedShutdownBehavior', 'stop'],
    [TEMPLATE, 'instanceInitiatedShutdownBehavior', undefined],
  ],
  'no-wildcards': [
    ['fleet-workers-role:RolePolicy', 'policy', action('*')],
    ['fleet-workers-role:RolePolicy', 'policy', action('s3:*')],
    ['fleet-workers-role:RolePolicy', 'policy', action(['ssm:GetParameter', 'ec2:Describe*'])],
    ['fleet-workers-role:RolePolicy', 'policy', action('s3:GetObjec?')],
    ['fleet-workers-role:RolePolicy', 'policy', allow({ Action: 's3:*', Resource: '*' })],
    ['fleet-orchestrator:Policy', 'policy', allowText({ NotAction: 'iam:CreateUser', Resource: '*' })],
    ['fleet-workers-role:Role', 'assumeRolePolicy', principal('*')],
    ['fleet-workers-role:Role', 'assumeRolePolicy', principal({ AWS: ['arn:aws:iam::1:root', '*'] })],
    [
      'fleet-workers-role:Role',
      'assumeRolePolicy',
      allowText({ Action: 'sts:AssumeRole', NotPrincipal: {} }),
    ],
    ['fleet-workers-role:Role', 'inlinePolicies', [{ name: 'more', policy: action('sqs:*') }]],
    ['fleet-workers-role:Role', 'managedPolicyArns', ['arn:aws:iam::aws:policy/AdministratorAccess']],
    ['fleet-journal:Bucket', 'policy', allowText({ Action: 's3:GetObject', Principal: '*' })],
  ],
  'no-launching': [
    ['fleet-workers-role:RolePolicy', 'policy', action('ec2:RunInstances')],
    ['fleet-orchestrator:Policy', 'policy', action(['ssm:GetParameter', 'IAM:passrole'])],
    ['fleet-sweeper-role:RolePolicy', 'policy', action('ec2:CreateFleet')],
    ['fleet-sweeper-role:RolePolicy', 'policy', action('ec2:RequestSpotFleet')],
    ['fleet-orchestrator:Policy', 'policy', action('autoscaling:UpdateAutoScalingGroup')],
  ],
};

describe.each(Object.entries(MISTAKES))('the policy %s', (policy, mistakes) => {
  it.each(mistakes)('reports %s when its %s is %j', async (resource, path, value) => {
    const reported = await reportedOf(planted(stack, resource, path, value));
    const { name } = resourceIn(stack, resource);
    expect(new Set(reported.map((report) => `${report.policy} ${report.resource}`))).toEqual(
      new Set([`${policy} ${name}`]),
    );
    for (const { message } of reported)
      expect(message).toMatch(new RegExp(`^${name}, [\\w.[\\] ]+: .+\\. .+\\.$`));
  });
});

test('the policy fleet-tags reports each taggable resource without the fleet’s tag', async () => {
  const tagged = stack.filter(({ props }) => Object.hasOwn(props as object, 'tags'));
  expect(tagged.length).toBeGreaterThan(20);
  for (const resource of tagged)
    expect(await reportedOf(planted([resource], nameAndType(resource), 'tags', undefined))).toContainEqual({
      policy: 'fleet-tags',
      resource: resource.name,
      message: expect.stringContaining(FLEET_TAG),
    });
});

describe('the policy private-buckets', () => {
  const reportedWithout = (type: string) =>
    reportedOf(stack.filter((resource) => !resource.type.endsWith(type)));
  const missing = (text: string) => [
    { policy: 'private-buckets', resource: 'fleet-journal', message: expect.stringContaining(text) },
  ];

  it.each([
    [':BucketServerSideEncryptionConfiguration', 'encrypted'],
    [':BucketPublicAccessBlock', 'blockPublicAcls, blockPublicPolicy'],
    [':BucketPolicy', 'TLS'],
  ])('reports a bucket without its %s', async (type, text) => {
    expect(await reportedWithout(type)).toEqual(missing(text));
  });

  it.each([
    ['fleet-journal:BucketPublicAccessBlock', 'restrictPublicBuckets', false, 'restrictPublicBuckets is off'],
    ['fleet-journal:BucketPublicAccessBlock', 'bucket', 'of-another', 'blockPublicAcls'],
    ['fleet-journal:BucketServerSideEncryptionConfiguration', 'rules', [], 'encrypted'],
    ['fleet-journal:BucketPolicy', 'policy', action('s3:GetObject'), 'TLS'],
    [
      'fleet-journal:BucketPolicy',
      'policy',
      {
        Statement: {
          Effect: 'Deny',
          Principal: '*',
          Action: 's3:*',
          Condition: { Bool: { 'aws:SecureTransport': 'true' } },
        },
      },
      'TLS',
    ],
  ])('reports %s when its %s is %j', async (resource, path, value, text) => {
    const unlinked = stack.map((shown) => ({ ...shown, dependencies: {} }));
    expect(await reportedOf(planted(unlinked, resource, path, value))).toEqual(missing(text));
  });

  it('does not count parts that belong to another bucket, even while names are unknown', async () => {
    const another = stack.find(({ type }) => type.endsWith(':Group'))?.urn ?? '';
    const parts = stack.map((shown) =>
      shown.type.endsWith(':BucketPolicy') ? { ...shown, dependencies: { bucket: [another] } } : shown,
    );
    expect(await reportedOf(parts)).toEqual(missing('TLS'));
  });
});

describe('the policy pack on a user’s own program', () => {
  const reportedOfProgram = async (makeResources: () => void) => {
    const program = async () => {
      makeResources();
      return {};
    };
    const reported = await reportedOf(shownTo(await runProgram({}, { program })));
    return reported.map(({ policy, resource }) => `${policy} ${resource}`);
  };
  const tokens = { httpTokens: 'required' };
  const encrypted = { encrypted: true };

  it.each<[string, string, () => void]>([
    [
      'no-public-ingress',
      'a rule of the older type',
      () => new aws.ec2.SecurityGroupRule('it', { ...RULE, type: 'ingress', cidrBlocks: ['1.1.1.1/32'] }),
    ],
    [
      'no-public-ingress',
      'the VPC’s own group',
      () => new aws.ec2.DefaultSecurityGroup('it', { ingress: [{ ...RULE, cidrBlocks: ['0.0.0.0/0'] }] }),
    ],
    ['encrypted-volumes', 'a volume', () => new aws.ebs.Volume('it', { availabilityZone: 'eu-central-1a' })],
    [
      'encrypted-volumes',
      'an instance',
      () =>
        new aws.ec2.Instance('it', {
          metadataOptions: tokens,
          ebsBlockDevices: [{ deviceName: '/dev/sdb' }],
          rootBlockDevice: encrypted,
        }),
    ],
    ['instance-metadata-v2', 'an instance', () => new aws.ec2.Instance('it', { rootBlockDevice: encrypted })],
    [
      'instance-metadata-v2',
      'a launch configuration',
      () =>
        new aws.ec2.LaunchConfiguration('it', {
          imageId: 'ami-1',
          instanceType: 'c7g.large',
          rootBlockDevice: encrypted,
          metadataOptions: { httpTokens: 'optional' },
        }),
    ],
    [
      'no-wildcards',
      'a policy of AWS’s',
      () =>
        new aws.iam.RolePolicyAttachment('it', {
          role: 'r',
          policyArn: 'arn:aws:iam::aws:policy/ReadOnlyAccess',
        }),
    ],
    [
      'no-wildcards',
      'a function that anybody may invoke',
      () =>
        new aws.lambda.Permission('it', { action: 'lambda:InvokeFunction', function: 'f', principal: '*' }),
    ],
    [
      'no-wildcards',
      'a queue that anybody may write to',
      () =>
        new aws.sqs.QueuePolicy('it', {
          queueUrl: 'u',
          policy: allowText({ Action: 'sqs:SendMessage', Principal: '*' }),
        }),
    ],
    ['private-buckets', 'a plain bucket', () => new aws.s3.Bucket('it', {})],
    [
      'fleet-at-zero',
      'a group that says it is a fleet’s',
      () => new aws.autoscaling.Group('it', { ...RESTING, minSize: 1, tags: OF_FLEET }),
    ],
  ])('reports by its policy %s: %s', async (policy, _, program) => {
    expect(new Set(await reportedOfProgram(program))).toEqual(new Set([`${policy} it`]));
  });

  it('accepts groups, roles and resources that belong to no fleet', async () => {
    const program = () => [
      new aws.autoscaling.Group('web', {
        minSize: 2,
        maxSize: 4,
        launchTemplate: { id: 'lt-1', version: '$Latest' },
      }),
      new aws.ec2.Instance('of-a-template', { launchTemplate: { id: 'lt-1' } }),
      new aws.ec2.SecurityGroupRule('out', { ...RULE, type: 'egress', cidrBlocks: ['0.0.0.0/0'] }),
      new aws.vpc.SecurityGroupIngressRule('in', {
        securityGroupId: 'sg-1',
        ipProtocol: 'tcp',
        cidrIpv6: 'fd00:1::/32',
      }),
      new aws.iam.RolePolicy('deployer', { role: 'deployer', policy: action('iam:PassRole') }),
      new aws.ssm.Parameter('theme', { name: '/web/monkey', type: 'String', value: 'gibbon' }),
    ];
    expect(await reportedOfProgram(program)).toEqual([]);
  });
});

const RULE = { protocol: 'tcp', fromPort: 8003, toPort: 8003, securityGroupId: 'sg-1' };
const OF_FLEET = [{ key: FLEET_TAG, value: 'books', propagateAtLaunch: true }];
const RESTING = {
  minSize: 0,
  maxSize: 1,
  protectFromScaleIn: true,
  suspendedProcesses: ['AZRebalance'],
  launchTemplate: { id: 'lt-1', version: '1' },
};

describe('the policy pack', () => {
  const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  const providerFile = (type: string, ending: string) => {
    const [, path = ''] = /^aws:(.+):/.exec(type) ?? [];
    return read(`node_modules/@pulumi/aws/${path}${ending}`);
  };

  it('is mandatory, and each of its policies has a test', () => {
    expect(policies.every(({ enforcementLevel }) => enforcementLevel === 'mandatory')).toBe(true);
    expect(policies.map(({ name }) => name).toSorted()).toEqual(
      [...Object.keys(MISTAKES), 'private-buckets'].toSorted(),
    );
  });

  it('names only resource types that the AWS provider has', () => {
    const folder = 'infra/policies';
    const types = readdirSync(new URL(`../../${folder}`, import.meta.url))
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => read(`${folder}/${name}`).match(/aws:[a-z0-9]+\/\w+:\w+/g) ?? []);
    expect(types.length).toBeGreaterThan(30);
    for (const type of new Set(types)) expect(providerFile(type, '.js')).toContain(`'${type}'`);
  });

  it('requires tags on every type that can have them', () => {
    for (const type of WITHOUT_TAGS) expect(providerFile(type, '.d.ts')).not.toMatch(/^ {4}tags\?:/m);
  });

  it('has the version of the repository', () => {
    const versionOf = (path: string) => (JSON.parse(read(path)) as { version: string }).version;
    expect(versionOf('infra/policies/package.json')).toBe(versionOf('package.json'));
  });
});

function nameAndType({ name, type }: Shown): string {
  return `${name}:${type.slice(type.lastIndexOf(':') + 1)}`;
}
