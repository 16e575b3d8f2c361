import * as fc from 'fast-check';
import type { StackConfiguration } from './program-run.ts';

/** Draws every setting that a stack can have, as a person may write it. It draws no settings that exclude each other. */

const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));
const idOf = (prefix: string) => fc.oneof(hex(8), hex(17)).map((id) => `${prefix}-${id}`);
const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,22}[a-z0-9]$/);
const path = fc
  .stringMatching(/^(\/[A-Za-z0-9._-]{1,12}){1,3}$/)
  .filter((text) => !text.split('/').some((part) => part === '.' || part === '..'));
const octet = fc.integer({ min: 0, max: 255 });
const privateBlock = fc.oneof(
  octet.map((second) => `10.${second}.0.0/16`),
  fc.integer({ min: 16, max: 31 }).map((second) => `172.${second}.0.0/16`),
  fc.tuple(octet, octet).map(([third, fourth]) => `192.168.${third}.${fourth}/32`),
);
const block = fc.oneof(privateBlock, fc.constantFrom('0.0.0.0/0', '52.94.0.0/22'));
/** Stands in every password that is drawn, so that it is found wherever it goes. */
export const HIDDEN = 'HiddenWord';
const letters = fc
  .string({ unit: 'grapheme', maxLength: 20 })
  .filter((text) => text.isWellFormed() && text.trim() === text);
/** Whatever a person may take for one, also what looks like JSON. */
const password = fc.oneof(
  fc.tuple(letters, letters).map(([start, end]) => `${start}${HIDDEN}${end}`),
  fc.constantFrom(
    `["${HIDDEN}"]`,
    `{"a":"${HIDDEN}"}`,
    ` ${HIDDEN} `,
    `it's $HOME/${HIDDEN}`,
    `${HIDDEN}%41@:/?#`,
  ),
);

const peersOf = (cidr: fc.Arbitrary<string>) =>
  fc
    .record(
      {
        security_groups: fc.array(idOf('sg'), { minLength: 1, maxLength: 3 }),
        cidrs: fc.array(cidr, { minLength: 1, maxLength: 3 }),
      },
      { requiredKeys: [] },
    )
    .filter((peers) => Object.keys(peers).length > 0);

const serversOf = fc
  .tuple(peersOf(block), fc.boolean())
  .map(([peers, open]) => ({ ...peers, let_workers_in: open }));

/** A host, and whom to ask for it where its name does not say. */
const place = fc.oneof(
  fc
    .tuple(octet, fc.option(serversOf))
    .map(([last, peers]) => ({ host: `10.0.0.${last}`, peers: peers ?? null })),
  serversOf.map((peers) => ({ host: 'service.internal', peers })),
);
const port = fc
  .option(fc.integer({ min: 1, max: 65_535 }).map((number) => `:${number}`))
  .map((text) => text ?? '');

const source = fc
  .tuple(place, port, fc.constantFrom('postgres', 'postgresql'))
  .map(([{ host, peers }, at, how]) => ({
    source: { url: `${how}://reader@${host}${at}/shop?sslmode=require` },
    network: peers === null ? {} : { database: peers },
  }));
const target = fc
  .tuple(place, port, fc.constantFrom('http', 'https'), fc.constantFrom('none', 'user', 'key'), password)
  .map(([{ host, peers }, at, how, access, secret]) => ({
    target: { url: `${how}://${host}${at}`, ...(access === 'user' && { username: 'indexer' }) },
    ...(access === 'user' && { target_password: secret }),
    ...(access === 'key' && { target_api_key: secret }),
    network: peers === null ? {} : { cluster: peers },
  }));
const subnets = fc.option(
  fc.record({ vpc: idOf('vpc'), subnets: fc.uniqueArray(idOf('subnet'), { minLength: 1, maxLength: 4 }) }),
);
const network = fc
  .tuple(peersOf(privateBlock), subnets, fc.option(peersOf(block)))
  .map(([who, where, aws]) => ({
    orchestrator: who,
    ...where,
    ...(aws !== null && { aws_endpoints: aws }),
  }));

const workers = fc.integer({ min: 1, max: 1_000 }).chain((count) =>
  fc.record({
    workers: fc.record(
      { count: fc.constant(count), minimum: fc.integer({ min: 1, max: Math.min(count, 4) }) },
      { requiredKeys: ['count', 'minimum'] },
    ),
    maximum: fc.option(fc.integer({ min: count, max: 1_000 })),
  }),
);
const instances = fc.record(
  {
    types: fc.oneof(
      fc.uniqueArray(fc.constantFrom('c7g.large', 'c6gn.large', 'm7gd.2xlarge', 'a1.large'), {
        minLength: 1,
      }),
      fc.uniqueArray(fc.constantFrom('c7i.large', 'g5.xlarge', 'u-6tb1.metal', 'm5dn.large'), {
        minLength: 1,
      }),
    ),
    spot: fc.record(
      { on_demand_base: fc.nat({ max: 1_000 }), on_demand_percent: fc.nat({ max: 100 }) },
      { requiredKeys: [] },
    ),
    volume_gib: fc.integer({ min: 1, max: 16_384 }),
    containers: fc.boolean(),
    checkout: path,
    definitions: path,
    parameters: fc.record(
      {
        lease_ms: fc.integer({ min: 600_001, max: 900_000 }).map(String),
        log_level: fc.constantFrom('debug', 'silent'),
        max_bytes_in_flight: fc.constant('33554432'),
      },
      { requiredKeys: [] },
    ),
    health_check_grace_seconds: fc.nat({ max: 7_200 }),
  },
  { requiredKeys: [] },
);

const tags = fc
  .dictionary(
    fc.stringMatching(/^[A-Za-z][A-Za-z0-9+\-=._@]{0,127}$/),
    fc.stringMatching(/^[A-Za-z0-9 _.:/=+\-@äß]{0,256}$/),
    { maxKeys: 5 },
  )
  .filter((all) => {
    const keys = ['name', ...Object.keys(all).map((key) => key.toLowerCase())];
    return new Set(keys).size === keys.length;
  });
const watch = fc.record(
  {
    topics: fc.array(fc.constant('arn:aws:sns:eu-central-1:123456789012:alarms'), { maxLength: 2 }),
    run_hours: fc.integer({ min: 1, max: 168 }),
    dead_letters: fc.nat({ max: 1_000 }),
    workers_lost: fc.nat({ max: 1_000 }),
    dashboard: fc.boolean(),
    log_days: fc.constantFrom(1, 30, 365),
  },
  { requiredKeys: [] },
);
const cost = fc.option(
  fc.record({
    per_hour: fc.constantFrom(0.0725, 1, '0.0725'),
    cost_per_day: fc.constantFrom(10, 12.5, '12.5'),
  }),
);
const rest = fc.record(
  {
    fleet: name,
    definition: fc.constant('books'),
    source_password: password,
    ranges: fc.record({ count: fc.integer({ min: 1, max: 100_000 }) }),
    validate: fc.record({
      compare: fc.constantFrom('keys', 'counts'),
      concurrency: fc.integer({ min: 1, max: 16 }),
    }),
    journal: fc.record(
      {
        lease_ms: fc.integer({ min: 1_000, max: 200_000 }),
        keep_days: fc.integer({ min: 1, max: 36_500 }),
        bucket: fc.stringMatching(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/),
        prefix: fc.constantFrom('journals', '/a//b/'),
        recover_days: fc.integer({ min: 1, max: 3_650 }),
      },
      { requiredKeys: [] },
    ),
    access: fc.record(
      {
        orchestrator_roles: fc.array(fc.constantFrom('airflow', 'operators'), { maxLength: 2 }),
        permissions_boundary: fc.constant('arn:aws:iam::123456789012:policy/boundary'),
      },
      { requiredKeys: [] },
    ),
    sweep: fc.record({ every_minutes: fc.integer({ min: 1, max: 1_440 }) }),
    protect: fc.constantFrom('true', 'false'),
    token_generation: fc.integer({ min: 1, max: 9 }).map(String),
    tags,
    'aws:region': fc.constant('eu-central-1'),
  },
  { requiredKeys: [] },
);

/** Configurations that are right. */
export const configurations: fc.Arbitrary<StackConfiguration> = fc
  .record({
    image: fc.oneof(idOf('ami'), path),
    definitions: fc.constantFrom('books.yaml', 'examples/books'),
    source,
    target,
    network,
    workers,
    instances,
    watch,
    cost,
    rest,
  })
  .map(({ image, definitions, source, target, network, workers, instances, watch, cost, rest }) => ({
    ...source,
    ...target,
    ...rest,
    image,
    definitions,
    network: { ...network, ...source.network, ...target.network },
    workers: workers.workers,
    instances: { ...instances, ...(workers.maximum !== null && { maximum: workers.maximum }) },
    watch: { ...watch, ...(cost !== null && { cost_per_day: cost.cost_per_day }) },
    ...(cost !== null && { price: { per_hour: cost.per_hour } }),
  }));

/** The least that a stack has to say. */
export const LEAST = {
  image: 'ami-0123456789abcdef0',
  definitions: 'books.yaml',
  source: { url: 'postgres://reader@10.0.0.5/shop' },
  target: { url: 'https://10.0.0.6:9200' },
  network: { orchestrator: { cidrs: ['10.0.0.0/16'] } },
} satisfies StackConfiguration;
