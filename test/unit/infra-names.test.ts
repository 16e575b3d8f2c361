import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { everyRun } from '../infra/every-run.ts';
import { type ProgramRun, runProgram, type StackConfiguration } from '../infra/program-run.ts';
import { inventedProvider } from '../infra/provider.ts';
import type { Registration } from '../infra/registration.ts';
import { one, physicalName, resources } from '../infra/resources.ts';
import { LEAST } from '../infra/stack-configurations.ts';

const GROUP = 'aws:autoscaling/group:Group';
const TEMPLATE = 'aws:ec2/launchTemplate:LaunchTemplate';
const BUCKET = 'aws:s3/bucket:Bucket';
const PARAMETER = 'aws:ssm/parameter:Parameter';

/** Types without tags, and why. */
const UNTAGGED = {
  'aws:cloudwatch/dashboard:Dashboard': 'CloudWatch tags alarms alone',
  'aws:iam/rolePolicy:RolePolicy': 'a part of its role',
  'aws:iam/rolePolicyAttachment:RolePolicyAttachment': 'a link between role and policy',
  'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration': 'a part of its bucket',
  'aws:s3/bucketOwnershipControls:BucketOwnershipControls': 'a part of its bucket',
  'aws:s3/bucketPolicy:BucketPolicy': 'a part of its bucket',
  'aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock': 'a part of its bucket',
  'aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration': 'a part of its bucket',
  'aws:s3/bucketVersioning:BucketVersioning': 'a part of its bucket',
  'aws:scheduler/schedule:Schedule': 'EventBridge tags groups of schedules alone',
  'random:index/randomPassword:RandomPassword': 'it is in no account',
};

/** What AWS takes for a name, by type. Each with the page that says so. */
const NAMES: Readonly<Record<string, RegExp>> = {
  // https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html
  [GROUP]: /^[^:]{1,255}$/,
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html
  'aws:cloudwatch/dashboard:Dashboard': /^[A-Za-z0-9_-]{1,255}$/,
  // https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
  'aws:cloudwatch/logGroup:LogGroup': /^[.\-_/#A-Za-z0-9]{1,512}$/,
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
  'aws:cloudwatch/metricAlarm:MetricAlarm': /^.{1,255}$/,
  // https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html
  [TEMPLATE]: /^[a-zA-Z0-9().\-/_]{3,128}$/,
  // https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
  'aws:ec2/securityGroup:SecurityGroup': /^(?!sg-)[A-Za-z0-9 ._\-:/()#,@[\]+=&;{}!$*]{1,255}$/,
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
  'aws:iam/instanceProfile:InstanceProfile': /^[\w+=,.@-]{1,128}$/,
  'aws:iam/policy:Policy': /^[\w+=,.@-]{1,128}$/,
  'aws:iam/role:Role': /^[\w+=,.@-]{1,64}$/,
  'aws:iam/rolePolicy:RolePolicy': /^[\w+=,.@-]{1,128}$/,
  // https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
  'aws:lambda/function:Function': /^[a-zA-Z0-9-_]{1,64}$/,
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
  [BUCKET]: /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/,
  // https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
  'aws:scheduler/schedule:Schedule': /^[0-9a-zA-Z-_.]{1,64}$/,
  // https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
  [PARAMETER]: /^(?!\/?(aws|ssm)(\/|$))[A-Za-z0-9/._-]{1,1011}$/i,
};

vi.setConfig({ testTimeout: 240_000 });

describe('tags', () => {
  it('of the fleet and those that are given are on everything that can have some', () =>
    everyRun((run, configuration) => {
      const wanted = { ...tagsGiven(configuration), 'reindex-fleet:fleet': fleetOf(configuration) };
      for (const registration of resources(run)) {
        expect(Object.hasOwn(UNTAGGED, registration.type), registration.type).toBe(!canHaveTags(registration));
        if (canHaveTags(registration)) expect(tagsOn(registration), registration.name).toMatchObject(wanted);
      }
    }));

  it('are on what comes into being with an instance, from the template and from the group', () =>
    everyRun((run, configuration) => {
      const wanted = { ...tagsGiven(configuration), 'reindex-fleet:fleet': fleetOf(configuration) };
      const { tagSpecifications } = one(run, TEMPLATE).inputs;
      expect(tagSpecifications).toEqual(
        ['instance', 'volume', 'network-interface'].map((resourceType) => ({
          resourceType,
          tags: expect.objectContaining(wanted),
        })),
      );
      expect(one(run, GROUP).inputs.tags).toSatisfy((tags: { propagateAtLaunch: boolean }[]) =>
        tags.every(({ propagateAtLaunch }) => propagateAtLaunch),
      );
    }));
});

describe('names', () => {
  it('are the same again with the same configuration, and so is everything else', () =>
    everyRun(async (run, configuration) => {
      expect(byUrn(await runProgram(configuration))).toEqual(byUrn(run));
    }));

  it('have the fleet’s in them, and keep AWS’s rules', () =>
    everyRun((run, configuration) => {
      for (const registration of resources(run)) {
        const name = ownName(registration);
        if (name === null) continue;
        expect(name, registration.type).toMatch(NAMES[registration.type] ?? /^no rule$/);
        if (name !== journalOf(configuration).bucket) expect(name, registration.type).toContain(fleetOf(configuration));
      }
    }));

  it('keep AWS’s rules with the longest fleet in any region and partition, whose name ARNs have', async () => {
    const fleet = 'f'.repeat(24);
    for (const [region, partition] of [
      ['ap-southeast-2', 'aws'],
      ['us-gov-west-1', 'aws-us-gov'],
      ['cn-northwest-1', 'aws-cn'],
    ] as const) {
      const run = await runProgram({ ...LEAST, fleet, access: { orchestrator_roles: ['a'] } }, at(region, partition));
      for (const registration of resources(run)) {
        const name = ownName(registration);
        if (name !== null) expect(name).toMatch(NAMES[registration.type] ?? /^no rule$/);
      }
      expect(run.outputs.settings).toMatchObject({ aws: { region } });
      expect(policiesOf(run).join('\n')).not.toMatch(new RegExp(`arn:(?!${partition}:)`));
    }
  });

  it('are others for another fleet, all of them, so that staging and production stand side by side', () =>
    everyRun(async (run, configuration) => {
      const other = await runProgram({ ...withoutBucket(configuration), fleet: 'another-fleet' });
      const taken = new Set(resources(run).map((registration) => nameByType(registration)));
      for (const registration of resources(other)) {
        if (physicalName(registration) === null) continue;
        expect(taken).not.toContain(nameByType(registration));
      }
      const settings = (of: ProgramRun) => JSON.stringify(of.outputs.settings);
      expect(settings(other)).toContain('another-fleet');
    }));
});

function fleetOf({ fleet }: StackConfiguration): string {
  return typeof fleet === 'string' ? fleet : 'production';
}

function tagsGiven({ tags }: StackConfiguration): object {
  return typeof tags === 'object' ? tags : {};
}

/** Whether Pulumi's provider has tags for the type: the source of its class says so. */
function canHaveTags({ type }: Registration): boolean {
  const [provider = '', module = ''] = type.split(':');
  if (provider !== 'aws') return false;
  const file = new URL(`../../node_modules/@pulumi/aws/${module}.js`, import.meta.url);
  return readFileSync(file, 'utf8').includes('resourceInputs["tags"] = args');
}

/** A group has a list in the place of a map. */
function tagsOn({ type, inputs: { tags } }: Registration): unknown {
  if (type !== GROUP) return tags;
  return Object.fromEntries((tags as { key: string; value: string }[]).map(({ key, value }) => [key, value]));
}

function journalOf({ journal }: StackConfiguration): { readonly bucket?: string } {
  return typeof journal === 'object' ? journal : {};
}

function withoutBucket(configuration: StackConfiguration): StackConfiguration {
  return { ...configuration, journal: { ...journalOf(configuration), bucket: null } };
}

/** Registrations come in the order in which their inputs are there. */
function byUrn(run: ProgramRun) {
  return Object.fromEntries(run.registrations.map((registration) => [registration.urn, registration]));
}

/** Of what is no part of something else; a bucket's parts have its name. */
function ownName(registration: Registration): string | null {
  return (registration.options.inputDependencies.bucket ?? []).length > 0 ? null : physicalName(registration);
}

function nameByType(registration: Registration): string {
  return `${registration.type} ${physicalName(registration)}`;
}

function policiesOf(run: ProgramRun): string[] {
  return resources(run).flatMap(({ type, inputs }) =>
    type.startsWith('aws:iam/') || type.includes('bucketPolicy') ? [String(inputs.policy)] : [],
  );
}

function at(region: string, partition: string) {
  const answers: Readonly<Record<string, Record<string, string>>> = {
    'aws:index/getRegion:getRegion': { region },
    'aws:index/getPartition:getPartition': { partition },
  };
  return {
    provider: {
      ...inventedProvider,
      invoke: (token: string, args: Record<string, unknown>) => answers[token] ?? inventedProvider.invoke(token, args),
    },
  };
}
