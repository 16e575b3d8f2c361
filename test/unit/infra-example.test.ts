import { readFileSync } from 'node:fs';
import * as pulumi from '@pulumi/pulumi';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { shop } from '../../examples/pulumi/shop.ts';
import { readPlace } from '../../infra/place.ts';
import { EXAMPLE_CONFIGURATION, exampleProvider } from '../infra/example-program.ts';
import { reportedOf, shownTo } from '../infra/policy-run.ts';
import { type ProgramRun, runProgram, SWEEPER_CODE } from '../infra/program-run.ts';

/** The example as the program of a stack. Set up as its user does: stack-example.test.ts. */

const ENVIRONMENTS = ['staging', 'production'] as const;

/** But that no run is looked for, which takes an AWS API. */
const prepare = async () => ({
  place: await readPlace(),
  sweeperCode: new pulumi.asset.StringAsset(SWEEPER_CODE),
  launched: { rootDevice: '/dev/xvda' },
  exclusion: { ensure: async () => {}, release: async () => {} },
});

const runExample = (preview: boolean) =>
  runProgram(EXAMPLE_CONFIGURATION, {
    program: () => shop(prepare),
    provider: exampleProvider,
    preview,
  });

let run: ProgramRun;

beforeAll(async () => {
  run = await runExample(false);
});

const inputsOf = (type: string, name: string) =>
  run.registrations.find((resource) => resource.type.endsWith(`:${type}`) && resource.name === name)?.inputs;

describe.each(ENVIRONMENTS)('the %s fleet of the Pulumi example', (environment) => {
  const name = `shop-${environment}`;

  it('uses the network and other outputs of the program’s own resources', () => {
    expect(inputsOf('Group', `${name}-workers`)).toMatchObject({
      name: `reindex-fleet-${name}`,
      vpcZoneIdentifiers: ['id-of-shop-1', 'id-of-shop-2'],
    });
    expect(inputsOf('SecurityGroup', `${name}-network`)).toMatchObject({ vpcId: 'id-of-shop' });
    expect(inputsOf('SecurityGroupEgressRule', `${name}-network-database-1`)).toMatchObject({
      referencedSecurityGroupId: 'id-of-shop-database',
      toPort: 5432,
    });
    expect(inputsOf('SecurityGroupIngressRule', `${name}-network-let-in-database-1`)).toMatchObject({
      securityGroupId: 'id-of-shop-database',
      referencedSecurityGroupId: `id-of-${name}-network`,
    });
    expect(inputsOf('MetricAlarm', `${name}-watch-dead-letters`)).toMatchObject({
      alarmActions: ['arn-of-reindex-alarms'],
    });
  });

  it('gives workers the final address and the password of its database as a SecureString', () => {
    const password = encodeURIComponent(EXAMPLE_CONFIGURATION[`${environment}_password`]);
    expect(inputsOf('Parameter', `${name}-worker-database-url`)).toMatchObject({
      type: 'SecureString',
      value: `postgres://reader:${password}@${name}.db.internal:5432/shop?sslmode=require`,
    });
  });

  it('exports the orchestrator’s settings without a secret', () => {
    expect(run.shownOutputs[environment]).toMatchObject({
      fleet: name,
      source: { url: `postgres://reader@${name}.db.internal:5432/shop?sslmode=require` },
      auto_scaling: {
        group: `reindex-fleet-${name}`,
        token_parameter: `/reindex-fleet/${name}/worker/token`,
      },
    });
  });
});

test('staging and production in the Pulumi example share no physical name', () => {
  const names = run.registrations.flatMap(({ type, inputs }) =>
    [inputs.name, inputs.bucket]
      .filter((name) => type.startsWith('aws:') && !type.startsWith('aws:s3/bucket') && name !== undefined)
      .map((name) => `${type} ${String(name)}`),
  );
  const roles = names.filter((name) => name.includes(':RolePolicy'));
  expect(roles.length).toBeGreaterThan(5);
  expect(new Set(names).size).toBe(names.length);
});

test.each([true, false])('the policy pack accepts the Pulumi example (preview: %s)', async (preview) => {
  expect(await reportedOf(shownTo(await runExample(preview)))).toEqual([]);
});

test('the package exports components and has no main entry, because Pulumi’s runner would take it for the stack’s program', () => {
  const { exports, main } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  ) as { exports: Record<string, string>; main?: string };
  expect(exports).toEqual({ './infra': './infra/components.ts' });
  expect(main).toBeUndefined();
});
