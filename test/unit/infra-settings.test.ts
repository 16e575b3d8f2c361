import { describe, expect, it } from 'vitest';
import { readStackSettings } from '../../infra/settings/stack-configuration.ts';
import { commonShape } from '../../orchestrator/common-settings.ts';
import { messageOf } from '../../orchestrator/errors.ts';
import { handedOn, runProgram, type StackConfiguration, tryProgram } from '../infra/program-run.ts';
import { one, workerParameters } from '../infra/resources.ts';
import { LEAST } from '../infra/stack-configurations.ts';

/** What is said of which key, and the change to a configuration that is right. */
type Case = readonly [key: string, sentence: string, change: StackConfiguration];

const WHOLE = 'A whole number';
const many = (count: number) => Array.from({ length: count }, (_, index) => index);
const MEANT: readonly Case[] = [
  ['imag', 'This is not a setting. Did you mean "image"?', { imag: 'ami-1' }],
  ['workers.cuont', 'This is not a setting. Did you mean "count"?', { workers: { cuont: 3 } }],
  [
    'network.orchestrator.cidr',
    'This is not a setting. Did you mean "cidrs"?',
    { network: { orchestrator: { cidr: [] } } },
  ],
];
const FORM: readonly Case[] = [
  ['fleet', 'Small letters, digits and dashes, 2 to 24', { fleet: 'Books' }],
  ['fleet', 'Small letters', { fleet: 'f'.repeat(25) }],
  ['definitions', 'Not empty.', { definitions: '' }],
  ['image', 'The id of an image', { image: 'ami-x' }],
  ['source.url', 'This is missing.', { source: {} }],
  [
    'source.url',
    'A URL that begins with postgres:// or postgresql://.',
    { source: { url: 'mysql://10.0.0.5/shop' } },
  ],
  ['source.url', 'Workers on AWS cannot reach an embedded service', { source: { url: 'embedded' } }],
  [
    'source.url',
    'Outputs would show the password in this URL',
    { source: { url: 'postgres://a:b@10.0.0.5/shop' } },
  ],
  [
    'source.url',
    'Outputs would show the password in this URL',
    { source: { url: 'postgres://10.0.0.5/shop?password=b' } },
  ],
  [
    'source.url',
    'It names no host.',
    {
      source: { url: 'postgres:///shop' },
      network: { ...LEAST.network, database: { cidrs: ['10.0.0.0/16'] } },
    },
  ],
  ['source', 'Write a map of settings here.', { source: 'postgres://10.0.0.5/shop' }],
  ['source_password', 'Not empty.', { source_password: '' }],
  ['target.url', 'A URL that begins with http:// or https://.', { target: { url: 'ftp://10.0.0.6' } }],
  [
    'target.username',
    'Not empty.',
    { target: { url: 'https://10.0.0.6', username: '' }, target_password: 'x' },
  ],
  ['workers.count', WHOLE, { workers: { count: 0 } }],
  ['ranges.count', WHOLE, { ranges: { count: 0 } }],
  ['validate.compare', '"keys" or "counts".', { validate: { compare: 'nothing' } }],
  ['report.example_query', 'Invalid input', { report: { example_query: 'x' } }],
  ['auto_scaling.worker_port', WHOLE, { auto_scaling: { worker_port: 70_000 } }],
  ['price.per_hour', 'A number.', { price: { per_hour: 'cheap' } }],
  ['price.per_hour', 'More than 0.', { price: { per_hour: -1 } }],
  ['price.currency', 'Three capital letters', { price: { per_hour: 1, currency: 'Euro' } }],
  ['auto_scaling.group', 'This is not a setting.', { auto_scaling: { group: 'mine' } }],
  ['journal.bucket', 'This is no name of a bucket', { journal: { bucket: 'Mine' } }],
  ['journal.prefix', "Without ! * ' ( ).", { journal: { prefix: 'all*' } }],
  ['journal.prefix', "Without ! * ' ( ).", { journal: { prefix: "it's" } }],
  ['journal.prefix', 'At most 128 characters.', { journal: { prefix: 'j'.repeat(129) } }],
  ['journal.prefix', 'More than slashes.', { journal: { prefix: '//' } }],
  ['journal.recover_days', WHOLE, { journal: { recover_days: 0 } }],
  ['journal.keep_days', WHOLE, { journal: { keep_days: 0 } }],
  ['instances.types[0]', 'An instance type, such as c7g.large.', { instances: { types: ['large'] } }],
  ['instances.types', 'One at least.', { instances: { types: [] } }],
  ['instances.types', 'At most 40.', { instances: { types: many(41).map((size) => `c7g.${size}xlarge`) } }],
  ['instances.maximum', WHOLE, { instances: { maximum: 1_001 } }],
  ['instances.spot.on_demand_percent', WHOLE, { instances: { spot: { on_demand_percent: 101 } } }],
  ['instances.spot.on_demand_base', WHOLE, { instances: { spot: { on_demand_base: -1 } } }],
  ['instances.volume_gib', WHOLE, { instances: { volume_gib: 0 } }],
  ['instances.containers', 'true or false.', { instances: { containers: 'yes' } }],
  ['instances.checkout', 'An absolute path.', { instances: { checkout: 'opt' } }],
  ['instances.definitions', 'An absolute path.', { instances: { definitions: 'books' } }],
  ['instances.parameters', 'A map of texts.', { instances: { parameters: [] } }],
  ['instances.health_check_grace_seconds', WHOLE, { instances: { health_check_grace_seconds: 7_201 } }],
  [
    'network.vpc',
    'The id of a VPC',
    { network: { ...LEAST.network, vpc: 'mine', subnets: ['subnet-12345678'] } },
  ],
  [
    'network.subnets[0]',
    'The id of a subnet',
    { network: { ...LEAST.network, vpc: 'vpc-12345678', subnets: ['mine'] } },
  ],
  ['network.subnets', 'One at least.', { network: { ...LEAST.network, vpc: 'vpc-12345678', subnets: [] } }],
  [
    'network.orchestrator.security_groups[0]',
    'The id of a security group',
    { network: { orchestrator: { security_groups: ['mine'] } } },
  ],
  [
    'network.orchestrator.cidrs[0]',
    'An IPv4 block',
    { network: { orchestrator: { cidrs: ['10.0.0.1/16'] } } },
  ],
  [
    'network.orchestrator.cidrs[0]',
    'Workers speak plain HTTP',
    { network: { orchestrator: { cidrs: ['0.0.0.0/0'] } } },
  ],
  [
    'network.orchestrator.cidrs[0]',
    'Workers speak plain HTTP',
    { network: { orchestrator: { cidrs: ['10.0.0.0/7'] } } },
  ],
  [
    'network.database.cidrs[0]',
    'An IPv4 block',
    { network: { ...LEAST.network, database: { cidrs: ['here'] } } },
  ],
  ['network.orchestrator', 'Say who may call the workers', { network: {} }],
  ['access.orchestrator_roles[0]', 'Not empty.', { access: { orchestrator_roles: [''] } }],
  [
    'access.orchestrator_roles[0]',
    'The name of a role: no ARN, no path.',
    { access: { orchestrator_roles: ['arn:aws:iam::123456789012:role/airflow'] } },
  ],
  [
    'access.permissions_boundary',
    'The ARN of a policy.',
    { access: { permissions_boundary: 'arn:aws:iam::123456789012:role/boundary' } },
  ],
  ['access.permissions_boundary', 'The ARN of a policy.', { access: { permissions_boundary: 'mine' } }],
  ['sweep.every_minutes', WHOLE, { sweep: { every_minutes: 0 } }],
  ['watch.topics[0]', 'The ARN of an SNS topic.', { watch: { topics: ['mine'] } }],
  [
    'watch.topics[0]',
    'The ARN of an SNS topic.',
    { watch: { topics: ['arn:aws:sns:eu-central-1:123456789012:alarms:8b1f0c9e-subscription'] } },
  ],
  [
    'watch.topics',
    'At most 5.',
    { watch: { topics: many(6).map(() => 'arn:aws:sns:eu-central-1:123456789012:a') } },
  ],
  ['watch.run_hours', WHOLE, { watch: { run_hours: 169 } }],
  ['watch.cost_per_day', 'More than 0.', { watch: { cost_per_day: 0 }, price: { per_hour: 1 } }],
  ['watch.dead_letters', WHOLE, { watch: { dead_letters: -1 } }],
  ['watch.workers_lost', WHOLE, { watch: { workers_lost: -1 } }],
  ['watch.dashboard', 'true or false.', { watch: { dashboard: 'no' } }],
  ['watch.log_days', 'A number of days that CloudWatch knows', { watch: { log_days: 2 } }],
  ['protect', 'true or false.', { protect: 'no' }],
  ['token_generation', 'A whole number.', { token_generation: 'new' }],
  ['token_generation', 'From 1.', { token_generation: '0' }],
  ['tags.aws:team', 'Choose another key. Keys that begin with aws:', { tags: { 'aws:team': 'search' } }],
  ['tags.reindex-fleet:fleet', 'Choose another key.', { tags: { 'reindex-fleet:fleet': 'other' } }],
  ['tags.cost centre', 'A key has letters', { tags: { 'cost centre': 'search' } }],
  ['tags._index', 'No key may be', { tags: { _index: 'search' } }],
  ['tags.team', 'Letters, digits, spaces and', { tags: { team: 'a\nb' } }],
  ['tags', 'For IAM, keys that differ only in case are the same', { tags: { name: 'mine' } }],
  ['tags', 'For IAM, keys that differ only in case are the same', { tags: { team: 'a', Team: 'b' } }],
  ['tags', 'At most 40', { tags: Object.fromEntries(many(41).map((index) => [`t${index}`, ''])) }],
];
const TOGETHER: readonly Case[] = [
  ['network.orchestrator', 'Say who may call the workers', { network: { orchestrator: {} } }],
  [
    'network.aws_endpoints',
    'Say where AWS is',
    { network: { ...LEAST.network, aws_endpoints: { cidrs: [] } } },
  ],
  [
    'instances.types',
    'All types must be for the image',
    { instances: { types: ['c7gn.large', 'c7i.large', 'g5.xlarge'] } },
  ],
  ['image', 'Give the parameter another path', { image: '/reindex-fleet/production/worker/image' }],
  ['instances.definitions', 'Say where the image has the definitions', { definitions: '../books.yaml' }],
  [
    'source.url',
    'On an instance this address is the instance itself',
    {
      source: { url: 'postgres://reader@localhost/shop' },
      network: { ...LEAST.network, database: { cidrs: ['10.0.0.0/16'] } },
    },
  ],
  ['workers.minimum', 'This is a path: `pulumi config rm', { 'workers.minimum': '2' }],
  [
    'target.password',
    'This is not a setting. Write it as a key of its own: target_password.',
    { target: { ...LEAST.target, password: 'x' } },
  ],
  [
    'aws.region',
    'This is not a setting. Write it as a key of its own: aws:region.',
    { aws: { region: 'eu-central-1' } },
  ],
  ['network.database', 'Say where the database is', { source: { url: 'postgres://db.internal/shop' } }],
  ['network.cluster', 'Say where the cluster is', { target: { url: 'https://search.internal' } }],
  [
    'network.subnets',
    'Write both network.vpc and network.subnets, or neither.',
    { network: { ...LEAST.network, vpc: 'vpc-12345678' } },
  ],
  [
    'network.vpc',
    'Write both network.vpc and network.subnets, or neither.',
    { network: { ...LEAST.network, subnets: ['subnet-12345678'] } },
  ],
  ['workers.minimum', 'At most workers.count, 2.', { workers: { count: 2, minimum: 3 } }],
  ['instances.maximum', 'At least workers.count, 3.', { workers: { count: 3 }, instances: { maximum: 2 } }],
  ['instances.types', 'Each type once.', { instances: { types: ['c7g.large', 'c7g.large'] } }],
  ['instances.definitions', 'Say where the image has the definitions', { definitions: '/srv/books' }],
  ['instances.parameters.token', 'The stack makes it.', { instances: { parameters: { token: 'x' } } }],
  [
    'instances.parameters.port',
    'It is auto_scaling.worker_port.',
    { instances: { parameters: { port: '1' } } },
  ],
  [
    'instances.parameters.speed',
    'Workers have no such setting in common.',
    { instances: { parameters: { speed: '1' } } },
  ],
  [
    'instances.parameters.log_level',
    'It is debug, info',
    { instances: { parameters: { log_level: 'loud' } } },
  ],
  [
    'target_password',
    'Write both target.username and target_password, or neither.',
    { target: { url: 'https://10.0.0.6', username: 'a' } },
  ],
  [
    'target.username',
    'Write both target.username and target_password, or neither.',
    { target_password: 'x' },
  ],
  [
    'target_api_key',
    'Write either target_api_key, or target.username and target_password.',
    { target: { url: 'https://10.0.0.6', username: 'a' }, target_password: 'x', target_api_key: 'x' },
  ],
  ['instances.parameters.lease_ms', 'More than journal.lease_ms, 300000', { journal: { lease_ms: 300_000 } }],
  [
    'auto_scaling.sweep_grace_ms',
    "More than the workers' lease, 300000",
    { auto_scaling: { sweep_grace_ms: 300_000 } },
  ],
  [
    'auto_scaling.zero_quiet_ms',
    'At most 615000 with a journal.lease_ms of 15000',
    { auto_scaling: { zero_quiet_ms: 700_000 } },
  ],
  [
    'watch.cost_per_day',
    'This needs the price of an instance. Write price.per_hour.',
    { watch: { cost_per_day: 10 } },
  ],
];

/** Of earlier versions. */
const FORMER: readonly Case[] = [
  ['aws.worker_port', 'aws.worker_port is now auto_scaling.worker_port.', { aws: { worker_port: 8004 } }],
  ['aws.poll_interval_ms', 'aws.poll_interval_ms is now auto_scaling.', { aws: { poll_interval_ms: 1_000 } }],
  ['aws.ready_timeout_ms', 'aws.ready_timeout_ms is now auto_scaling.', { aws: { ready_timeout_ms: 1_000 } }],
  [
    'aws.capacity_timeout_ms',
    'aws.capacity_timeout_ms is now auto_scaling.',
    { aws: { capacity_timeout_ms: 1 } },
  ],
  [
    'aws.zero_quiet_ms',
    'aws.zero_quiet_ms is now auto_scaling.zero_quiet_ms.',
    { aws: { zero_quiet_ms: 1 } },
  ],
  ['aws.sweep_grace_ms', 'aws.sweep_grace_ms is now auto_scaling.', { aws: { sweep_grace_ms: 900_000 } }],
  ['aws.price_per_hour', 'aws.price_per_hour is now price.per_hour.', { aws: { price_per_hour: '0.0725' } }],
  ['aws.currency', 'aws.currency is now price.currency.', { aws: { currency: 'EUR' } }],
  ['aws.group', 'This is not a setting.', { aws: { group: 'mine' } }],
  [
    'aws.profile',
    'This is not a setting. Write it as a key of its own: aws:profile.',
    { aws: { profile: 'shop' } },
  ],
  ['aws', 'This is not a setting.', { aws: {} }],
];

describe('the check of a stack’s configuration', () => {
  it.each([...MEANT, ...FORM, ...TOGETHER, ...FORMER])(
    'refuses %s with “%s” and registers nothing: %j',
    async (key, sentence, change) => {
      const faults = await faultsOf({ ...LEAST, ...change });
      const own = faults.filter((fault) => fault.startsWith(`Pulumi.production.yaml reindex-fleet:${key}: `));
      expect(faults).toEqual(own);
      expect(own.join('\n')).toContain(`: ${sentence}`);
    },
  );

  it('names every fault at once, those of form and those between settings', async () => {
    const faults = await faultsOf({
      fleet: 'Books',
      imag: 'ami-0123456789abcdef0',
      source: { url: 'postgres://db.internal/shop' },
      target: { url: 'https://10.0.0.6:9200', username: 'indexer' },
      network: { orchestrator: {} },
      workers: { count: 0 },
      journal: { lease_ms: 400_000 },
      aws: { price_per_hour: 1, speed: 2 },
      watch: { cost_per_day: 1, log_days: 2 },
      tags: { 'aws:x': 'y' },
    });
    const keys = faults.map((fault) => /reindex-fleet:(\S+):/.exec(fault)?.[1]);
    expect(keys).toEqual([
      'aws.price_per_hour',
      'aws.speed',
      'definitions',
      'fleet',
      'imag',
      'image',
      'instances.parameters.lease_ms',
      'network.database',
      'network.orchestrator',
      'tags.aws:x',
      'target_password',
      'watch.log_days',
      'workers.count',
    ]);
  });

  it('refuses a secret that is stored in plain text', () => {
    const values = { ...handedOn(LEAST), 'reindex-fleet:source_password': 'hunter2' };
    const read = (secretKeys: string[] | null) => () =>
      readStackSettings({ stack: 'production', project: 'reindex-fleet', values, secretKeys });
    expect(read([])).toThrow(
      'Pulumi.production.yaml reindex-fleet:source_password: This secret is not encrypted. Write it with `pulumi config set --secret source_password`.',
    );
    expect(read(['reindex-fleet:source_password'])).not.toThrow();
    expect(read(null)).not.toThrow();
  });

  it('names every missing setting when nothing is configured', async () => {
    const faults = await faultsOf({ 'aws:region': 'eu-central-1' });
    const keys = faults.map((fault) => /reindex-fleet:(\S+):/.exec(fault)?.[1]);
    expect(keys).toEqual(['definitions', 'image', 'network.orchestrator', 'source', 'target']);
  });
});

describe('the timeout of the sweeper’s function', () => {
  it.each([
    [{}, 300],
    [{ journal: { lease_ms: 280_000 } }, 565],
  ])('covers the lease of a dead holder: with %j it is %i seconds', async (change, seconds) => {
    const run = await runProgram({ ...LEAST, ...change });
    expect(one(run, 'aws:lambda/function:Function').inputs.timeout).toBe(seconds);
  });
});

describe('the settings that a stack gives its orchestrator', () => {
  it('have every section that the settings of a run have', async () => {
    const { outputs } = await runProgram({ ...LEAST, promote: { shrink_limit: 20 } });
    expect(Object.keys(outputs.settings as object)).toEqual(expect.arrayContaining(Object.keys(commonShape)));
    expect(outputs.settings).toMatchObject({ promote: { shrink_limit: 20 } });
  });
});

describe('a stack configuration as the Pulumi CLI stores it', () => {
  it('has texts at the top level, even where they look like another type', async () => {
    const run = await runProgram({
      ...LEAST,
      protect: 'false',
      token_generation: '3',
      source_password: '{"a":1}',
    });
    expect(one(run, 'aws:s3/bucket:Bucket').options.protect).toBe(false);
    expect(one(run, 'random:index/randomPassword:RandomPassword').inputs.keepers).toEqual({
      generation: '3',
    });
    expect(decodeURIComponent(new URL(workerParameters(run).database_url ?? '').password)).toBe('{"a":1}');
  });

  it('has numbers and booleans below a path, which are accepted as texts and fractions', async () => {
    const run = await runProgram({
      ...LEAST,
      tags: { 'cost-centre': 4711, spot: true },
      instances: { parameters: { lease_ms: 600_000 }, containers: true },
      watch: { dashboard: false, cost_per_day: '12.5' },
      price: { per_hour: '0.0725' },
    });
    expect(one(run, 'aws:s3/bucket:Bucket').inputs.tags).toMatchObject({
      'cost-centre': '4711',
      spot: 'true',
    });
    expect(workerParameters(run)).toMatchObject({ lease_ms: '600000' });
    expect(one(run, 'aws:cloudwatch/metricAlarm:MetricAlarm', 'fleet-watch-cost').inputs.threshold).toBe(
      12.5,
    );
    expect(run.outputs.settings).toMatchObject({ price: { per_hour: 0.0725 } });
    expect(run.registrations.map(({ type }) => type)).not.toContain('aws:cloudwatch/dashboard:Dashboard');
  });

  it('may have settings of other namespaces, which are ignored', async () => {
    const others = {
      'aws:region': 'eu-central-1',
      'aws:defaultTags': { tags: { a: 'b' } },
      'reindex:image': 'x',
    };
    expect(await runProgram({ ...LEAST, ...others })).toEqual(await runProgram(LEAST));
  });

  it('takes the fleet’s name from the stack when it names none', async () => {
    const run = await runProgram(LEAST, { stack: 'staging' });
    expect(run.outputs.settings).toMatchObject({
      fleet: 'staging',
      auto_scaling: { group: 'reindex-fleet-staging' },
    });
  });
});

async function faultsOf(configuration: StackConfiguration): Promise<string[]> {
  const { error, run } = await tryProgram(configuration);
  expect(run.registrations.map(({ type }) => type)).toEqual(['pulumi:pulumi:Stack']);
  const [first, ...faults] = messageOf(error?.reason).split('\n');
  expect(first).toBe("The stack's configuration is not right; nothing was changed.");
  return faults;
}
