import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { WITHOUT_TAGS } from '../../infra/policies/tags.ts';
import { everyRun } from '../infra/every-run.ts';
import { type ProgramRun, runProgram, type StackConfiguration } from '../infra/program-run.ts';
import { inventedProvider } from '../infra/provider.ts';
import type { Registration } from '../infra/registration.ts';
import { byUrn, fleetOf, one, physicalName, resources } from '../infra/resources.ts';
import { LEAST } from '../infra/stack-configurations.ts';

const GROUP = 'aws:autoscaling/group:Group';
const TEMPLATE = 'aws:ec2/launchTemplate:LaunchTemplate';
const BUCKET = 'aws:s3/bucket:Bucket';
const PARAMETER = 'aws:ssm/parameter:Parameter';

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

describe('the tags of a stack', () => {
  it('are possible on every AWS type except the listed ones', () => {
    expect([...WITHOUT_TAGS].filter((type) => canHaveTags({ type }))).toEqual([]);
  });

  it('include the fleet’s tag and the configured tags on every resource that can have tags', () =>
    everyRun((run, configuration) => {
      const wanted = { ...tagsGiven(configuration), 'reindex-fleet:fleet': fleetOf(configuration) };
      const tagged = resources(run).filter(canHaveTags);
      const untagged = resources(run).filter((registration) => !canHaveTags(registration));
      expect(untagged.filter(({ type }) => type.startsWith('aws:') && !WITHOUT_TAGS.has(type))).toEqual([]);
      expect(byUrn(tagged, tagsOn)).toEqual(byUrn(tagged, () => expect.objectContaining(wanted)));
    }));

  it('are on everything that is created together with an instance', () =>
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

describe('the names of a stack’s resources', () => {
  it('are the same again for the same configuration, together with everything else', () =>
    everyRun(async (run, configuration) => {
      const again = await runProgram(configuration);
      expect(byUrn(again.registrations, itself)).toEqual(byUrn(run.registrations, itself));
    }));

  it('contain the fleet’s name and follow AWS’s rules', () =>
    everyRun((run, configuration) => {
      const named = resources(run).filter((registration) => ownName(registration) !== null);
      expect(named.filter((registration) => !keepsTheRules(registration))).toEqual([]);
      const { bucket } = journalOf(configuration);
      const others = named
        .map(ownName)
        .filter((name) => name !== bucket && !name?.includes(fleetOf(configuration)));
      expect(others).toEqual([]);
    }));

  it('follow AWS’s rules for the longest fleet name in any region and partition', async () => {
    const fleet = 'f'.repeat(24);
    for (const [region, partition] of [
      ['ap-southeast-2', 'aws'],
      ['us-gov-west-1', 'aws-us-gov'],
      ['cn-northwest-1', 'aws-cn'],
    ] as const) {
      const run = await runProgram(
        { ...LEAST, fleet, access: { orchestrator_roles: ['a'] } },
        at(region, partition),
      );
      expect(resources(run).filter((registration) => !keepsTheRules(registration))).toEqual([]);
      expect(run.outputs.settings).toMatchObject({ aws: { region } });
      expect(policiesOf(run).join('\n')).not.toMatch(new RegExp(`arn:(?!${partition}:)`));
    }
  });

  it('all differ between two fleets, so that staging and production fit side by side', () =>
    everyRun(async (run, configuration) => {
      const other = await runProgram({ ...withoutBucket(configuration), fleet: 'another-fleet' });
      const taken = new Set(resources(run).map(nameByType));
      const named = resources(other).filter((registration) => physicalName(registration) !== null);
      expect(named.map(nameByType).filter((name) => taken.has(name))).toEqual([]);
      const settings = (of: ProgramRun) => JSON.stringify(of.outputs.settings);
      expect(settings(other)).toContain('another-fleet');
    }));
});

function tagsGiven({ tags }: StackConfiguration): object {
  return typeof tags === 'object' ? tags : {};
}

/** Whether Pulumi's provider has tags for the type: the source of its class says so. */
function canHaveTags({ type }: Pick<Registration, 'type'>): boolean {
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

/** Of what is no part of something else; a bucket's parts have its name. */
function ownName(registration: Registration): string | null {
  return (registration.options.inputDependencies.bucket ?? []).length > 0 ? null : physicalName(registration);
}

function keepsTheRules(registration: Registration): boolean {
  const name = ownName(registration);
  return name === null || (NAMES[registration.type]?.test(name) ?? false);
}

function nameByType(registration: Registration): string {
  return [registration.type, physicalName(registration)].join(' ');
}

function itself(registration: Registration): Registration {
  return registration;
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
      invoke: (token: string, args: Record<string, unknown>) =>
        answers[token] ?? inventedProvider.invoke(token, args),
    },
  };
}
