import { z } from 'zod';
import { section } from '../../definition/section.ts';
import { commonShape as orchestrator, EMBEDDED } from '../../orchestrator/common-settings.ts';
import { autoScalingSection } from '../../orchestrator/fleet/auto-scaling/settings.ts';
import { BUCKET_NAME, KEY_PREFIX } from '../../orchestrator/journal/s3-place.ts';
import { text, whole } from '../../orchestrator/setting-types.ts';
import { isCidr, isPrivate } from './cidr.ts';
import { IMAGE_PATH, MOST_PATH } from './image-path.ts';
import { inputOf } from './inputs.ts';

/**
 * A stack's settings: what each is and may be. Sections that the orchestrator has too (`source`, `target`, `workers`, …) have
 * its words, and go into its settings as they are, so nothing is typed twice. Secrets stand apart at the top, for Pulumi
 * keeps a key of the configuration secret as a whole.
 */

const journal = orchestrator.journal.unwrap().shape;
/** Of a group the stack itself says what it is called, and where its parameters are. */
const { shape: pacing } = autoScalingSection.omit({
  group: true,
  image_parameter: true,
  token_parameter: true,
});

const id = (kind: string, prefix: string) =>
  text.regex(new RegExp(`^${prefix}-[0-9a-f]{8,17}$`), `The id of a ${kind}: ${prefix}-…`);
const securityGroup = inputOf(id('security group', 'sg'));
const cidr = text.refine(isCidr, 'An IPv4 block, such as 10.0.0.0/16, with no bit set behind its prefix.');
const privateCidr = cidr.refine(
  (block) => !isCidr(block) || isPrivate(block),
  'Workers speak plain HTTP: only private addresses may call them (10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10).',
);

/** The other end of a connection, by security groups or addresses. */
const peerShape = <Cidr extends z.ZodType<string>>(block: Cidr) => ({
  /** Security groups of the other end. */
  security_groups: z.array(securityGroup, 'A list of security groups.').default([]),
  /** IPv4 blocks of the other end. */
  cidrs: z.array(block, 'A list of IPv4 blocks.').default([]),
});

const serverUrl = (protocols: readonly string[]) => {
  const message = `A URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}.`;
  return text.superRefine((value, context) => {
    const fault = (sentence: string): void => context.addIssue({ code: 'custom', message: sentence });
    if (value === EMBEDDED) return fault('Workers on AWS cannot reach an embedded service. Write a URL.');
    if (!URL.canParse(value) || !protocols.includes(new URL(value).protocol)) return fault(message);
    const { hostname, password, searchParams } = new URL(value);
    if (hostname === '') fault('It names no host.');
    if (hostname === 'localhost')
      fault('On an instance this address is the instance itself. Write a name or an address of the server.');
    if (password !== '' || searchParams.has('password'))
      fault('Outputs would show the password in this URL. Write it as source_password or target_password.');
  });
};

/** As it is, spaces too. */
const secret = inputOf(z.string('A text.').min(1, 'Not empty.')).nullable().default(null);
const imagePath = text
  .regex(IMAGE_PATH, 'An absolute path.')
  .max(MOST_PATH, `At most ${MOST_PATH} characters.`);
const topicArn = text.regex(
  /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/,
  'The ARN of an SNS topic.',
);
const policyArn = text.regex(/^arn:aws[a-z-]*:iam::(\d{12}|aws):policy\/.+$/, 'The ARN of a policy.');
const roleName = text.regex(/^[\w+=,.@-]{1,64}$/, 'The name of a role: no ARN, no path.');
/** A top-level value of a configuration is a text. */
const yes = (fallback: boolean) =>
  z
    .preprocess(
      (value) => (value === 'true' ? true : value === 'false' ? false : value),
      z.boolean('true or false.'),
    )
    .default(fallback);

/**
 * What every service takes; keys as EC2 wants them of instances whose metadata shows their tags, or it launches none:
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/work-with-tags-in-IMDS.html
 */
const tagKey = z
  .string()
  .regex(
    /^[A-Za-z0-9+\-=._:@]{1,128}$/,
    'A key has letters, digits and + - = . _ : @, at most 128, and neither space nor slash.',
  )
  .refine((key) => !['.', '..', '_index'].includes(key), 'No key may be . or .. or _index.')
  .refine(
    (key) => !/^(aws|reindex-fleet):/i.test(key),
    'Choose another key. Keys that begin with aws: or reindex-fleet: are reserved.',
  );
const tagValue = z
  .string('A text.')
  .regex(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u, 'Letters, digits, spaces and _ . : / = + - @, at most 256.');

/** Ours among them. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html */
function isEachKeyOnce(tags: Readonly<Record<string, string>>): boolean {
  const keys = [...new Set(['Name', ...Object.keys(tags)])];
  return new Set(keys.map((key) => key.toLowerCase())).size === keys.length;
}

/** Servers that workers connect to. */
const servers = () =>
  section({
    ...peerShape(cidr),
    /** Whether the stack adds a rule to each of these security groups that lets the workers in. The rule goes with the stack. */
    let_workers_in: yes(false),
  }).prefault({});

export const stackShape = section({
  /** Name of the fleet, and of everything that it has. A stack's configuration may leave it out: then it is the stack's name. */
  fleet: text.regex(
    /^[a-z][a-z0-9-]{0,22}[a-z0-9]$/,
    'Small letters, digits and dashes, 2 to 24, a letter first: roles and bucket are named after it.',
  ),
  /** A definition's file, or a folder of definitions. The path is relative to the clone. */
  definitions: orchestrator.definitions,
  definition: orchestrator.definition,
  /** The workers' image: `ami-…`, for which the stack makes and owns a parameter, or the name of your own parameter of data type `aws:ec2:image`. */
  image: text.regex(
    /^(ami-[0-9a-f]{8,17}|(\/[A-Za-z0-9_.-]+)+)$/,
    'The id of an image (ami-…), or the name of a parameter that holds one (/my/image).',
  ),
  source: section({
    /** A PostgreSQL URL without its password. Orchestrator and workers can reach it. */
    url: inputOf(serverUrl(['postgres:', 'postgresql:'])),
  }),
  /** Password of the user in `source.url`. */
  source_password: secret,
  target: section({
    /** An OpenSearch or Elasticsearch URL, without its password. */
    url: inputOf(serverUrl(['http:', 'https:'])),
    /** User for basic authentication. Its password is `target_password`. */
    username: inputOf(text).nullable().default(null),
    health_timeout_ms: orchestrator.target.shape.health_timeout_ms,
    waiting_timeout_ms: orchestrator.target.shape.waiting_timeout_ms,
  }),
  /** Password of `target.username`. */
  target_password: secret,
  /** API key of the cluster, in place of user and password. */
  target_api_key: secret,
  /** As for a run. `count` is also the most that the group may have, unless `instances.maximum` says more. */
  workers: orchestrator.workers,
  ranges: orchestrator.ranges,
  validate: orchestrator.validate,
  promote: orchestrator.promote,
  report: orchestrator.report,
  /** As for a run: deadlines and the workers' port. The stack itself names the group. */
  auto_scaling: section(pacing).prefault({}),
  /** As for a run: what an instance costs. Null: the price is unknown. */
  price: orchestrator.price,
  journal: section({
    lease_ms: journal.lease_ms,
    keep_days: journal.keep_days,
    /** Name of the bucket that the stack makes. Null: `reindex-<fleet>-<account>-<region>`. */
    bucket: text
      .regex(BUCKET_NAME, 'This is no name of a bucket: small letters, digits, dots and dashes.')
      .nullable()
      .default(null),
    /** What the keys in the bucket begin with. The fleet's name follows. */
    // Part of a tag, and of the fleet's policies, in which a * would stand for any text, other fleets' prefixes among them.
    prefix: text
      .regex(KEY_PREFIX, "Letters, digits and ! _ . * ' ( ) / -")
      .refine((prefix) => !/[!*'()]/.test(prefix), "Without ! * ' ( ).")
      .refine((prefix) => /[^/]/.test(prefix), 'More than slashes.')
      .refine((prefix) => prefix.length <= 128, 'At most 128 characters.')
      .default('reindex-fleet'),
    /** How long you can bring back what was deleted or replaced. */
    recover_days: whole(1, 3_650, ' of days').default(30),
  }).prefault({}),
  instances: section({
    /** Instance types, the most wanted first. All are for the image's processor (c7g is arm64). */
    types: z
      .array(
        text.regex(/^[a-z0-9-]+\.[a-z0-9-]+$/, 'An instance type, such as c7g.large.'),
        'A list of instance types.',
      )
      .min(1, 'One at least.')
      .max(40, 'At most 40.')
      .default(['c7g.large']),
    /** The most instances that the group may have. Null: `workers.count`. */
    maximum: whole(1, 1_000).nullable().default(null),
    /** Spot instances. Null: all instances are on demand. */
    spot: section({
      /** How many instances are on demand before the group takes Spot instances. */
      on_demand_base: whole(0, 1_000).default(0),
      /** How many of a hundred instances above the base are on demand. */
      on_demand_percent: whole(0, 100).default(0),
    })
      .nullable()
      .default(null),
    /** Size of the root volume (gp3, encrypted, gone with its instance). Null: as large as the image's. */
    volume_gib: whole(1, 16_384, ' of GiB').nullable().default(null),
    /** Whether workers run in containers on their instances, one network hop behind the metadata service. */
    containers: yes(false),
    /** The folder in the image that has the clone of this repository. */
    checkout: imagePath.default('/opt/reindex-fleet'),
    /** The place of the definitions in the image. Null: where the clone has them (`definitions`, below `checkout`). */
    definitions: imagePath.nullable().default(null),
    /** More settings of the workers by name, such as `lease_ms`. All are in `worker/settings-schema.ts`. */
    parameters: z.record(z.string(), text, 'A map of texts.').default({}),
    /** How long after an instance's launch the group does not ask for its health. */
    health_check_grace_seconds: whole(0, 7_200, ' of seconds').default(300),
  }).prefault({}),
  network: section({
    /** The VPC of the workers. Null: the default VPC. */
    vpc: inputOf(id('VPC', 'vpc')).nullable().default(null),
    /** The subnets in which instances are launched. Null: the default subnet of each zone of the default VPC. */
    subnets: z
      .array(inputOf(id('subnet', 'subnet')), 'A list of subnets.')
      .min(1, 'One at least.')
      .nullable()
      .default(null),
    /** Who may call the workers. */
    orchestrator: section(peerShape(privateCidr)).prefault({}),
    /** Where the database is. By default the address in `source.url`, if its host is one. */
    database: servers(),
    /** Where the cluster is. By default the address in `target.url`, if its host is one. */
    cluster: servers(),
    /** Where AWS's endpoints are (443). Their public addresses are many and change. Narrow this where the VPC has interface endpoints. */
    aws_endpoints: section(peerShape(cidr)).prefault({ cidrs: ['0.0.0.0/0'] }),
  }).prefault({}),
  access: section({
    /** Names of roles that may do what the orchestrator does. */
    orchestrator_roles: z.array(inputOf(roleName), 'A list of names of roles.').default([]),
    /** ARN of the policy that bounds every role that the stack makes. */
    permissions_boundary: policyArn.nullable().default(null),
  }).prefault({}),
  sweep: section({
    /** How often the sweeper runs. */
    every_minutes: whole(1, 1_440, ' of minutes').default(15),
  }).prefault({}),
  watch: section({
    /** SNS topics that are told of alarms. */
    topics: z.array(inputOf(topicArn), 'A list of topics.').max(5, 'At most 5.').default([]),
    /** Instances that are there for this many full hours on end raise an alarm. A run is over by then. */
    run_hours: whole(1, 168, ' of hours').default(24),
    /** The most that the instances of any 24 hours may cost, in `price.currency`, before an alarm is raised. It needs `price.per_hour`. Null: there is no such alarm. */
    cost_per_day: z.number('A number.').positive('More than 0.').nullable().default(null),
    /** More dead letters in a run raise an alarm. */
    dead_letters: whole(0, 1_000_000_000).default(0),
    /** More lost workers in a run raise an alarm. */
    workers_lost: whole(0, 1_000).default(0),
    /** Whether the stack makes a dashboard. */
    dashboard: yes(true),
    /** How many days the sweeper's log is kept. */
    log_days: z
      .literal(
        [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365],
        'A number of days that CloudWatch knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180 or 365.',
      )
      .default(30),
  }).prefault({}),
  /** Whether `pulumi destroy` and replacements are refused for the journal's bucket. */
  protect: yes(true),
  /** Another number makes another token. Workers that run keep the old one. */
  token_generation: z.coerce.number('A whole number.').int('A whole number.').min(1, 'From 1.').default(1),
  /** Tags on everything that can have tags, beside our own. */
  tags: z
    .record(tagKey, tagValue, {
      error: (issue) => (issue.code === 'invalid_key' ? issue.issues[0]?.message : 'A map of texts.'),
    })
    .refine(
      isEachKeyOnce,
      'For IAM, keys that differ only in case are the same. Write each key once, and write Name with a capital N.',
    )
    .refine((tags) => Object.keys(tags).length <= 40, 'At most 40: AWS takes 50, ours among them.')
    .default({}),
});

/** What a program gives, see the fields' descriptions in `stackShape`. */
export type StackInput = z.input<typeof stackShape>;
/** Checked, and with everything by default that was not given. */
export type StackSettings = z.output<typeof stackShape>;
