import * as aws from '@pulumi/aws';
import type * as pulumi from '@pulumi/pulumi';
import { describe, expect, it, vi } from 'vitest';
import { everyRun } from '../infra/every-run.ts';
import { runProgram } from '../infra/program-run.ts';
import type { Registration } from '../infra/registration.ts';
import { byUrn, identities, notBefore, ofType, one, resources } from '../infra/resources.ts';
import { LEAST } from '../infra/stack-configurations.ts';

const FLEET = 'reindex-fleet:index:ReindexFleet';
const GROUP = 'aws:autoscaling/group:Group';
const TEMPLATE = 'aws:ec2/launchTemplate:LaunchTemplate';
const BUCKET = 'aws:s3/bucket:Bucket';
const OF_S3 = 'aws:s3/';
const RULES = [
  'aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule',
  'aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule',
];
const PARAMETER = 'aws:ssm/parameter:Parameter';

vi.setConfig({ testTimeout: 240_000 });

describe('the options of a stack’s resources', () => {
  it('ignore changes of the group’s desired capacity, and of nothing else', () =>
    everyRun((run) => {
      expect(byUrn(run.registrations, ({ options }) => options.ignoreChanges)).toEqual(
        byUrn(run.registrations, ({ type }) => (type === GROUP ? ['desiredCapacity'] : [])),
      );
      expect(one(run, GROUP).inputs).not.toHaveProperty('desiredCapacity');
    }));

  it('protect the journal’s bucket as configured, and nothing else', () =>
    everyRun((run, { protect = 'true' }) => {
      expect(byUrn(run.registrations, ({ options }) => options.protect === true)).toEqual(
        byUrn(run.registrations, ({ type }) => type === BUCKET && protect === 'true'),
      );
    }));

  it('delete before they replace, because names are fixed, but never the journal’s bucket or what configures it', () =>
    everyRun((run) => {
      expect(byUrn(resources(run), ({ options }) => options.deleteBeforeReplace)).toEqual(
        byUrn(resources(run), ({ type }) => (type.startsWith('aws:') ? !type.startsWith(OF_S3) : null)),
      );
    }));

  it('replace a rule together with each security group that it names', () =>
    everyRun((run) => {
      const rules = resources(run).filter(({ type }) => RULES.includes(type));
      expect(byUrn(rules, ({ options }) => options.replaceOnChanges)).toEqual(
        byUrn(rules, () => ['securityGroupId', 'referencedSecurityGroupId']),
      );
    }));

  it('delete the journal’s bucket, and what configures it, only after everything else', () =>
    everyRun((run) => {
      const journal = run.registrations.filter(({ type }) => type.startsWith(OF_S3));
      const others = resources(run).filter(({ type }) => !type.startsWith(OF_S3));
      expect(others.flatMap((other) => notBefore(run, other, journal))).toEqual([]);
    }));

  it('replace a parameter whose type changes', () =>
    everyRun((run) => {
      const wanted = ({ inputs }: Registration) =>
        inputs.dataType === undefined ? ['type'] : ['dataType', 'type'];
      const others = run.registrations.filter(({ type }) => !RULES.includes(type));
      expect(byUrn(others, ({ options }) => options.replaceOnChanges)).toEqual(
        byUrn(others, (registration) => (registration.type === PARAMETER ? wanted(registration) : [])),
      );
    }));

  it('run the check for a run before anything is deleted and before the fleet is updated', () =>
    everyRun((run) => {
      const hook = ['fleet-has-no-run'];
      const asked = ({ type, custom }: Registration) =>
        type === FLEET ? { beforeUpdate: hook } : custom ? { beforeDelete: hook } : {};
      expect(byUrn(run.registrations, ({ options }) => options.hooks)).toEqual(
        byUrn(run.registrations, asked),
      );
    }));

  it.each([
    ['fleet', { fleet: 'renamed' }],
    ['bucket', { journal: { bucket: 'another-bucket' } }],
    ['prefix', { journal: { prefix: 'another/prefix' } }],
  ])('change an input of the fleet itself when its journal moves to another %s', async (_, moved) => {
    const before = one(await runProgram(LEAST), FLEET).inputs;
    expect(one(await runProgram(LEAST), FLEET).inputs).toEqual(before);
    const run = await runProgram({ ...LEAST, ...moved });
    expect(one(run, FLEET).inputs).not.toEqual(before);
    const { journal } = one(run, FLEET).inputs;
    expect(one(run, BUCKET).inputs.tags).toMatchObject({ 'reindex-fleet:journal': journal });
    expect(one(run, GROUP).inputs.tags).toContainEqual({
      key: 'reindex-fleet:journal',
      value: journal,
      propagateAtLaunch: true,
    });
  });

  it('retain nothing when the stack is destroyed', () =>
    everyRun((run) => {
      expect(run.registrations.filter(({ options }) => options.retainOnDelete)).toEqual([]);
    }));
});

describe('the dependencies of a stack’s resources', () => {
  it('create everything that an instance needs before the group that launches it', () =>
    everyRun((run) => {
      const needed = [
        ...ofType(run, PARAMETER),
        ...ofType(run, 'aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule'),
        ...ofType(run, 'aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule'),
        one(run, 'aws:iam/rolePolicy:RolePolicy', 'fleet-workers-role'),
        one(run, TEMPLATE),
      ];
      expect(notBefore(run, one(run, GROUP), needed)).toEqual([]);
    }));

  it('create the image’s parameter before the launch template that refers to it', () =>
    everyRun((run) => {
      const own = ofType(run, PARAMETER).filter(({ inputs }) => inputs.dataType !== undefined);
      expect(notBefore(run, one(run, TEMPLATE), own)).toEqual([]);
    }));

  it('create logs, permissions and swept resources before the sweeper, and its permissions before its schedule', () =>
    everyRun((run) => {
      const sweeper = one(run, 'aws:lambda/function:Function');
      const swept = [
        one(run, 'aws:cloudwatch/logGroup:LogGroup'),
        one(run, 'aws:iam/rolePolicy:RolePolicy', 'fleet-sweeper-role'),
        one(run, GROUP),
        ...run.registrations.filter(({ type }) => type.startsWith('aws:s3/')),
      ];
      expect(notBefore(run, sweeper, swept)).toEqual([]);
      const invoked = [sweeper, one(run, 'aws:iam/rolePolicy:RolePolicy', 'fleet-sweeper-schedule-role')];
      expect(notBefore(run, one(run, 'aws:scheduler/schedule:Schedule'), invoked)).toEqual([]);
    }));

  it('create alarms after what they watch, and delete them before it', () =>
    everyRun((run) => {
      const watched = [one(run, GROUP), one(run, 'aws:scheduler/schedule:Schedule')];
      for (const alarm of ofType(run, 'aws:cloudwatch/metricAlarm:MetricAlarm'))
        expect(notBefore(run, alarm, watched)).toEqual([]);
    }));

  it('create the parts of a bucket in the order that S3 accepts', () =>
    everyRun((run) => {
      const part = (module: string, name: string) => one(run, `aws:s3/${module}:${name}`);
      const lifecycle = part('bucketLifecycleConfiguration', 'BucketLifecycleConfiguration');
      const access = part('bucketPublicAccessBlock', 'BucketPublicAccessBlock');
      expect(notBefore(run, lifecycle, [part('bucketVersioning', 'BucketVersioning')])).toEqual([]);
      expect(notBefore(run, part('bucketPolicy', 'BucketPolicy'), [access])).toEqual([]);
    }));
});

describe('the resource tree of a stack', () => {
  it('has every resource in a component, and every component in the fleet', () =>
    everyRun((run) => {
      const [stack, fleet, ...others] = run.registrations;
      const components = run.registrations.filter(({ custom }) => !custom).map(({ urn }) => urn);
      expect([fleet?.type, fleet?.parent]).toEqual(['reindex-fleet:index:ReindexFleet', stack?.urn]);
      expect(others.filter(({ parent }) => !components.includes(parent) || parent === stack?.urn)).toEqual(
        [],
      );
      expect(others.filter(({ urn }) => !urn.includes('::reindex-fleet:index:ReindexFleet$'))).toEqual([]);
    }));

  it('is created synchronously, with nothing inside `apply`, `then` or another callback', () =>
    everyRun((run) => {
      expect(run.late).toEqual([]);
    }));

  it.each<[string, (id: pulumi.Output<string>) => unknown]>([
    ['apply', (id) => id.apply(() => new aws.s3.Bucket('late'))],
    ['then', () => Promise.resolve().then(() => new aws.s3.Bucket('late'))],
    ['a callback of the event loop', () => setImmediate(() => new aws.s3.Bucket('late'))],
  ])('is watched by the test engine, which finds a resource created in %s', async (_, make) => {
    const program = async () => {
      make(new aws.s3.Bucket('first').id);
      return {};
    };
    expect((await runProgram(LEAST, { program })).late).toEqual(['late']);
  });

  it('is the same in a preview, where values made by AWS are unknown', () =>
    everyRun(async (run, configuration) => {
      const preview = await runProgram(configuration, { preview: true });
      expect(identities(preview)).toEqual(identities(run));
      expect(preview.late).toEqual([]);
      expect(JSON.stringify([preview.registrations, preview.outputs])).not.toMatch(/\[unknown\]|Calling \[/i);
      expect(JSON.stringify(preview.outputs.settings)).toBe(JSON.stringify(run.outputs.settings));
    }));
});
