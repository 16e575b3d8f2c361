import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { describe, expect, it } from 'vitest';
import { ReindexFleet } from '../../infra/components.ts';
import { messageOf } from '../../orchestrator/errors.ts';
import { readPlace } from '../../infra/place.ts';
import { runProgram, SWEEPER_CODE, tryProgram } from '../infra/program-run.ts';
import { UNKNOWN } from '../infra/property-values.ts';
import { inventedProvider, type Provider } from '../infra/provider.ts';
import { identities, notBefore, ofType, one, shownBy } from '../infra/resources.ts';
import { HIDDEN, LEAST } from '../infra/stack-configurations.ts';

const INGRESS = 'aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule';
const EGRESS = 'aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule';
const PARAMETER = 'aws:ssm/parameter:Parameter';
const GROUP = 'aws:autoscaling/group:Group';

/** What AWS makes up of the resources of somebody else. */
const MADE: Readonly<Record<string, Readonly<Record<string, string | number>>>> = {
  'aws:ec2/subnet:Subnet': { id: 'subnet-00000001' },
  'aws:ec2/vpc:Vpc': { id: 'vpc-00000001' },
  'aws:rds/cluster:Cluster': { id: 'own', endpoint: 'own.cluster.internal', port: 5433 },
  'aws:sns/topic:Topic': { id: 'topic', arn: 'arn:aws:sns:eu-central-1:123456789012:alarms' },
};
const provider: Provider = {
  ...inventedProvider,
  create(registration) {
    const outputs = MADE[registration.type];
    return outputs === undefined
      ? inventedProvider.create(registration)
      : { id: String(outputs.id), outputs };
  },
};

const prepare = async () => ({
  place: await readPlace(),
  sweeperCode: new pulumi.asset.StringAsset(SWEEPER_CODE),
  launched: { rootDevice: '/dev/xvda' },
  exclusion: { ensure: async () => {}, release: async () => {} },
});

/** A program of somebody else: a network and a database of its own, and two fleets that use them. */
async function program() {
  const prepared = await prepare();
  const vpc = new aws.ec2.Vpc('own', { cidrBlock: '10.0.0.0/16' });
  const subnet = new aws.ec2.Subnet('own', { vpcId: vpc.id, cidrBlock: '10.0.1.0/24' });
  const orchestrator = new aws.ec2.SecurityGroup('orchestrator', { vpcId: vpc.id });
  const database = new aws.rds.Cluster('own', {
    engine: 'aurora-postgresql',
    masterPassword: pulumi.secret(`${HIDDEN}%`),
  });
  const topic = new aws.sns.Topic('alarms');
  const fleets = ['staging', 'production'].map(
    (fleet) =>
      new ReindexFleet(fleet, {
        ...LEAST,
        ...prepared,
        fleet,
        source: { url: pulumi.interpolate`postgres://reader@${database.endpoint}:${database.port}/shop` },
        source_password: database.masterPassword.apply((password) => password ?? ''),
        network: {
          vpc: vpc.id,
          subnets: [subnet.id],
          orchestrator: { security_groups: [orchestrator.id] },
          database: { cidrs: ['10.0.0.0/16'] },
        },
        watch: { topics: [topic.arn] },
      }),
  );
  return { settings: fleets[1]?.settings };
}

describe('a user’s own Pulumi program', () => {
  it('passes outputs of its own resources to its fleets', async () => {
    const run = await runProgram({}, { program, provider });
    expect(one(run, GROUP, 'staging-workers').inputs.vpcZoneIdentifiers).toEqual(['subnet-00000001']);
    expect(one(run, INGRESS, 'staging-network-orchestrator-1').inputs).toMatchObject({
      referencedSecurityGroupId: 'sg-00000000000000001',
      fromPort: 8003,
    });
    expect(one(run, EGRESS, 'staging-network-database-10-0-0-0-16').inputs).toMatchObject({
      fromPort: 5433,
      toPort: 5433,
    });
    expect(one(run, PARAMETER, 'staging-worker-database-url').inputs.value).toBe(
      `postgres://reader:${HIDDEN}%25@own.cluster.internal:5433/shop`,
    );
    expect(run.outputs.settings).toMatchObject({
      source: { url: 'postgres://reader@own.cluster.internal:5433/shop' },
    });
    const alarm = one(run, 'aws:cloudwatch/metricAlarm:MetricAlarm', 'staging-watch-workers-lost');
    expect(alarm.inputs.alarmActions).toEqual([MADE['aws:sns/topic:Topic']?.arn]);
  });

  it('creates everything in one update, and its own resources before the fleets', async () => {
    const run = await runProgram({}, { program, provider });
    expect(run.late).toEqual([]);
    const own = [one(run, 'aws:rds/cluster:Cluster'), one(run, 'aws:ec2/subnet:Subnet')];
    expect(notBefore(run, one(run, GROUP, 'production-workers'), own)).toEqual([]);
  });

  it('keeps the secrets of its fleets encrypted', async () => {
    const run = await runProgram({}, { program, provider });
    expect(shownBy(run)).not.toContain(HIDDEN);
  });

  it('keeps a secret inside a URL encrypted even when the URL is known only later', async () => {
    const address = `postgres://reader:${HIDDEN}@db.internal/shop?password=${HIDDEN}`;
    const careless = async () => {
      const fleet = new ReindexFleet('books', {
        ...LEAST,
        ...(await prepare()),
        fleet: 'books',
        source: { url: pulumi.output(address) },
        network: { ...LEAST.network, database: { cidrs: ['10.0.0.0/16'] } },
      });
      return { settings: fleet.settings };
    };
    const run = await runProgram({}, { program: careless, provider });
    expect(shownBy(run)).not.toContain(HIDDEN);
    expect(run.outputs.settings).toMatchObject({ source: { url: 'postgres://reader@db.internal/shop' } });
    expect(one(run, PARAMETER, 'books-worker-database-url').inputs.value).toBe(address);
  });

  it('can have two fleets side by side', async () => {
    const run = await runProgram({}, { program, provider });
    expect(ofType(run, GROUP).map(({ inputs }) => inputs.name)).toHaveLength(2);
    expect(new Set(identities(run)).size).toBe(run.registrations.length);
  });

  it('can be previewed while its outputs are unknown', async () => {
    const run = await runProgram({}, { program, provider });
    const preview = await runProgram({}, { program, provider, preview: true });
    expect(identities(preview)).toEqual(identities(run));
    expect(JSON.stringify(preview.registrations)).not.toMatch(/\[unknown\]|Calling \[/i);
    expect(one(preview, PARAMETER, 'staging-worker-database-url').inputs.value).toBe(UNKNOWN);
  });

  it('names every fault in the settings of a fleet, together with the fleet’s name', async () => {
    const wrong = async () => {
      const fleet = new ReindexFleet('staging', {
        ...LEAST,
        ...(await prepare()),
        fleet: 'Staging',
        image: 'x',
        tags: { '': 'x' },
      });
      return { group: fleet.group.name };
    };
    const { error, run } = await tryProgram({}, { program: wrong });
    expect(
      messageOf(error?.reason)
        .split('\n')
        .map((line) => line.split(': ')[0]),
    ).toEqual([
      'The settings of the fleet staging are not right.',
      'staging fleet',
      'staging image',
      'staging tags.',
    ]);
    expect(run.registrations).toHaveLength(1);
  });
});
