import * as aws from '@pulumi/aws';
import type * as pulumi from '@pulumi/pulumi';
import { describe, expect, it, vi } from 'vitest';
import { everyRun } from '../infra/every-run.ts';
import { type ProgramRun, runProgram } from '../infra/program-run.ts';
import type { Registration } from '../infra/registration.ts';
import { before, ofType, one, resources } from '../infra/resources.ts';
import { LEAST } from '../infra/stack-configurations.ts';

const GROUP = 'aws:autoscaling/group:Group';
const TEMPLATE = 'aws:ec2/launchTemplate:LaunchTemplate';
const BUCKET = 'aws:s3/bucket:Bucket';
const PARAMETER = 'aws:ssm/parameter:Parameter';

vi.setConfig({ testTimeout: 240_000 });

describe('options', () => {
  it('ignore the desired capacity of the group, and nothing else of anything', () =>
    everyRun((run) => {
      for (const { type, inputs, options } of run.registrations)
        expect(options.ignoreChanges, type).toEqual(type === GROUP ? ['desiredCapacity'] : []);
      expect(one(run, GROUP).inputs).not.toHaveProperty('desiredCapacity');
    }));

  it('protect the journal’s bucket as the configuration says, and nothing else', () =>
    everyRun((run, { protect = 'true' }) => {
      for (const { type, options } of run.registrations)
        expect(options.protect === true, type).toBe(type === BUCKET && protect === 'true');
    }));

  it('delete before they replace, for names are fixed', () =>
    everyRun((run) => {
      for (const registration of resources(run)) {
        const isInAws = registration.type.startsWith('aws:');
        expect(registration.options.deleteBeforeReplace, registration.name).toBe(isInAws ? true : null);
      }
    }));

  it('replace parameters whose type changes', () =>
    everyRun((run) => {
      for (const { type, inputs, options } of run.registrations) {
        const wanted = type !== PARAMETER ? [] : inputs.dataType === undefined ? ['type'] : ['dataType', 'type'];
        expect(options.replaceOnChanges, type).toEqual(wanted);
      }
    }));

  it('have group and bucket asked before they go whether a run has them, and nothing else', () =>
    everyRun((run, { fleet = 'production' }) => {
      const asked = { beforeDelete: [`reindex-fleet-${String(fleet)}-has-no-run`] };
      for (const { type, options } of run.registrations)
        expect(options.hooks, type).toEqual([GROUP, BUCKET].includes(type) ? asked : {});
    }));

  it('keep nothing when the stack is destroyed', () =>
    everyRun((run) => {
      for (const { options } of run.registrations) expect(options.retainOnDelete).toBe(false);
    }));
});

describe('dependencies', () => {
  it('make everything that an instance needs before the group that launches it', () =>
    everyRun((run) => {
      const needed = [
        ...ofType(run, PARAMETER),
        ...ofType(run, 'aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule'),
        ...ofType(run, 'aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule'),
        one(run, 'aws:iam/rolePolicy:RolePolicy', 'fleet-workers-role'),
        one(run, TEMPLATE),
      ];
      expectBefore(run, one(run, GROUP), needed);
    }));

  it('make the image’s parameter before the template, for which AWS looks it up', () =>
    everyRun((run) => {
      const own = ofType(run, PARAMETER).filter(({ inputs }) => inputs.dataType !== undefined);
      expectBefore(run, one(run, TEMPLATE), own);
    }));

  it('make log, rights and what is swept before the sweeper, and its rights before the schedule', () =>
    everyRun((run) => {
      const sweeper = one(run, 'aws:lambda/function:Function');
      expectBefore(run, sweeper, [
        one(run, 'aws:cloudwatch/logGroup:LogGroup'),
        one(run, 'aws:iam/rolePolicy:RolePolicy', 'fleet-sweeper-role'),
        one(run, GROUP),
        ...run.registrations.filter(({ type }) => type.startsWith('aws:s3/')),
      ]);
      const schedule = one(run, 'aws:scheduler/schedule:Schedule');
      expectBefore(run, schedule, [sweeper, one(run, 'aws:iam/rolePolicy:RolePolicy', 'fleet-sweeper-schedule-role')]);
    }));

  it('make a bucket’s parts in the order that S3 takes', () =>
    everyRun((run) => {
      const part = (name: string) => one(run, `aws:s3/${name[0]?.toLowerCase()}${name.slice(1)}:${name}`);
      expectBefore(run, part('BucketLifecycleConfiguration'), [part('BucketVersioning')]);
      expectBefore(run, part('BucketPolicy'), [part('BucketPublicAccessBlock')]);
    }));
});

describe('the tree of resources', () => {
  it('has every resource in a component, and every component in the fleet', () =>
    everyRun((run) => {
      const [stack, ...all] = run.registrations;
      const byUrn = new Map(run.registrations.map((registration) => [registration.urn, registration]));
      const [fleet] = all.filter(({ parent }) => parent === stack?.urn);
      expect(fleet?.type).toBe('reindex-fleet:index:ReindexFleet');
      for (const registration of all.filter((one) => one !== fleet)) {
        expect(byUrn.get(registration.parent)?.custom, registration.name).toBe(false);
        expect(registration.urn).toContain('::reindex-fleet:index:ReindexFleet$');
      }
    }));

  it('is made in one go: nothing in `apply`, `then` or another callback', () =>
    everyRun((run) => {
      expect(run.late).toEqual([]);
    }));

  it.each<[string, (id: pulumi.Output<string>) => unknown]>([
    ['apply', (id) => id.apply(() => new aws.s3.Bucket('late'))],
    ['then', () => Promise.resolve().then(() => new aws.s3.Bucket('late'))],
    ['a callback of the event loop', () => setImmediate(() => new aws.s3.Bucket('late'))],
  ])('would show what is made in %s', async (_, make) => {
    const program = async () => {
      make(new aws.s3.Bucket('first').id);
      return {};
    };
    expect((await runProgram(LEAST, { program })).late).toEqual(['late']);
  });

  it('is the same in a preview, where nothing is known that AWS makes up', () =>
    everyRun(async (run, configuration) => {
      const preview = await runProgram(configuration, { preview: true });
      expect(identities(preview)).toEqual(identities(run));
      expect(preview.late).toEqual([]);
      expect(JSON.stringify([preview.registrations, preview.outputs])).not.toMatch(/\[unknown\]|Calling \[/i);
      expect(JSON.stringify(preview.outputs.settings)).toBe(JSON.stringify(run.outputs.settings));
    }));
});

function expectBefore(run: ProgramRun, registration: Registration, needed: readonly Registration[]): void {
  expect([...before(run, registration)]).toEqual(expect.arrayContaining(needed.map(({ urn }) => urn)));
}

function identities(run: ProgramRun): string[] {
  return run.registrations.map(({ urn }) => urn).sort();
}
