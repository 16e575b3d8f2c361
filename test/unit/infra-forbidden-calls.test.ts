import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { functionArn, groupArn, logStreamsArn, parameterArn } from '../../infra/access/arns.ts';
import { trust } from '../../infra/access/policy-document.ts';
import { schedulerTrust } from '../../infra/access/sweeper-policy.ts';
import { type Names, namesOf } from '../../infra/names.ts';
import { stackShape } from '../../infra/settings/schema.ts';
import { type FleetRole, fleetAccess } from '../infra/fleet-access.ts';
import { parsePolicy } from '../infra/policy-document.ts';
import { decide, type Decision, trusts } from '../infra/policy-evaluator.ts';

/** What nobody who acts for a fleet may do. What they have to: stack-permissions.test.ts. */

const PLACE = { account: '123456789012', region: 'eu-central-1', partition: 'aws' };
/** One for all fleets, as where a group is made by hand; a stack makes one for each. */
const BUCKET = 'journals';
const ROLES: readonly FleetRole[] = ['orchestrator', 'workers', 'sweeper', 'scheduler'];

const namesIn = (fleet: string): Names =>
  namesOf({ fleet, bucket: BUCKET, journalPrefix: 'reindex-fleet', imageParameter: null }, PLACE);
const secretsOf = ({ workerParameters }: Names): string[] =>
  ['database_url', 'search_password'].map((name) => `${workerParameters}/${name}`);
const arn = (service: string, rest: string): string =>
  `arn:aws:${service}:${PLACE.region}:${PLACE.account}:${rest}`;
const role = (name: string): string => `arn:aws:iam::${PLACE.account}:role/${name}`;
const theGroup = (names: Names): string =>
  groupArn(names).replace(':*:', ':0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0:');
const object = (key: string): string => `arn:aws:s3:::${BUCKET}/${key}`;
const parameter = (name: string): string => parameterArn(BOOKS, name);

const BOOKS = namesIn('books');
const ACCESS = fleetAccess(BOOKS);
const ADMINISTRATOR = parsePolicy(
  { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] },
  'identity',
);

interface Call {
  readonly action: string;
  readonly on: string;
  readonly context?: Readonly<Record<string, string>>;
}

function decideFor(who: FleetRole | 'administrator', { action, on, context = {} }: Call): Decision {
  const identity = [who === 'administrator' ? ADMINISTRATOR : ACCESS.identities[who]];
  const request = {
    action,
    resource: on,
    context: { 'aws:SecureTransport': 'true', ...context },
    principal: role(who),
  };
  return decide(request, { identity, resource: on.startsWith('arn:aws:s3:') ? ACCESS.bucket : null });
}

const each = (service: string, names: string, on: string): Call[] =>
  names.split(/\s+/).map((name) => ({ action: `${service}:${name}`, on }));
const oneOn = (action: string, resources: readonly string[]): Call[] =>
  resources.map((on) => ({ action, on }));
const listing = (prefixes: readonly string[]): Call[] =>
  prefixes.map((prefix) => ({
    action: 's3:ListBucket',
    on: `arn:aws:s3:::${BUCKET}`,
    context: { 's3:prefix': prefix },
  }));

const OTHER_GROUPS = ['books-2', 'book', 'ooks', 'Books', 'b'].map((fleet) => theGroup(namesIn(fleet)));
const OTHER_KEYS = [
  'reindex-fleet/books-2/claims/1.json',
  'reindex-fleet/booksX/claims/1.json',
  'reindex-fleet/Books/claims/1.json',
  'reindex-fleet/book/claims/1.json',
  'reindex-fleet/books',
  'reindex-fleet/claims/1.json',
  'Reindex-fleet/books/claims/1.json',
  'x/reindex-fleet/books/claims/1.json',
  'books/claims/1.json',
];
const OWN_KEY = object('reindex-fleet/books/claims/1.json');
const OWN_BUCKET = `arn:aws:s3:::${BUCKET}`;
const FOREIGN_PATHS = [
  '/',
  '/reindex-fleet',
  '/reindex-fleet/books',
  '/reindex-fleet/books-2/worker',
  '/reindex-fleet/books/workers',
];
const FOREIGN_PARAMETERS = [
  '/reindex-fleet/books-2/image',
  '/reindex-fleet/books-2/worker/token',
  '/reindex-fleet/books-2/worker/database_url',
  '/reindex-fleet/books/worker/token/x',
  '/shop/password',
];
const OWN_PARAMETERS = [BOOKS.imageParameter, BOOKS.tokenParameter, ...secretsOf(BOOKS)];

const FORBIDDEN: Readonly<
  Record<string, { readonly to: readonly FleetRole[]; readonly calls: readonly Call[] }>
> = {
  'another group': {
    to: ROLES,
    calls: [
      ...oneOn('autoscaling:SetDesiredCapacity', OTHER_GROUPS),
      ...oneOn('autoscaling:TerminateInstanceInAutoScalingGroup', OTHER_GROUPS),
    ],
  },
  'instances of no group': {
    to: ROLES,
    calls: oneOn('autoscaling:TerminateInstanceInAutoScalingGroup', ['*']),
  },
  'what the group is': {
    to: ROLES,
    calls: each(
      'autoscaling',
      `UpdateAutoScalingGroup DeleteAutoScalingGroup CreateAutoScalingGroup SetInstanceProtection SetInstanceHealth
       CreateOrUpdateTags DeleteTags AttachInstances DetachInstances EnterStandby ExitStandby SuspendProcesses
       ResumeProcesses StartInstanceRefresh CancelInstanceRefresh PutScalingPolicy ExecutePolicy PutLifecycleHook
       CompleteLifecycleAction PutScheduledUpdateGroupAction PutWarmPool`,
      theGroup(BOOKS),
    ),
  },
  'to launch': {
    to: ROLES,
    calls: [
      ...each('ec2', 'RunInstances CreateFleet RequestSpotInstances', arn('ec2', 'instance/*')),
      ...each(
        'ec2',
        'CreateLaunchTemplateVersion ModifyLaunchTemplate DeleteLaunchTemplate',
        arn('ec2', 'launch-template/lt-0123456789abcdef0'),
      ),
      ...oneOn('iam:PassRole', [BOOKS.workersRole, BOOKS.sweeperRole, 'administrator'].map(role)),
    ],
  },
  'instances past their group': {
    to: ROLES,
    calls: each(
      'ec2',
      'TerminateInstances StopInstances StartInstances RebootInstances ModifyInstanceAttribute CreateTags DeleteTags',
      arn('ec2', 'instance/i-0123456789abcdef0'),
    ),
  },
  'shells on instances': {
    to: ROLES,
    calls: each('ssm', 'SendCommand StartSession', arn('ec2', 'instance/i-0123456789abcdef0')),
  },
  'the network': {
    to: ROLES,
    calls: each(
      'ec2',
      'AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress RevokeSecurityGroupIngress',
      arn('ec2', 'security-group/sg-0123456789abcdef0'),
    ),
  },
  'to change parameters': {
    to: ROLES,
    calls: OWN_PARAMETERS.flatMap((name) =>
      each('ssm', 'PutParameter DeleteParameter DeleteParameters LabelParameterVersion', parameter(name)),
    ),
  },
  'parameters of others': {
    to: ROLES,
    calls: [
      ...oneOn('ssm:GetParameter', FOREIGN_PARAMETERS.map(parameter)),
      ...oneOn('ssm:GetParameters', FOREIGN_PARAMETERS.map(parameter)),
      ...oneOn('ssm:GetParametersByPath', FOREIGN_PATHS.map(parameter)),
    ],
  },
  'parameters to whom they are not for': {
    to: ['workers', 'sweeper', 'scheduler'],
    calls: oneOn('ssm:GetParameter', OWN_PARAMETERS.map(parameter)),
  },
  'all parameters at once': {
    to: ['orchestrator', 'sweeper', 'scheduler'],
    calls: oneOn('ssm:GetParametersByPath', [parameter(BOOKS.workerParameters)]),
  },
  'objects of others': {
    to: ROLES,
    calls: OTHER_KEYS.flatMap((key) => each('s3', 'GetObject PutObject DeleteObject', object(key))),
  },
  'the same key of another bucket': {
    to: ROLES,
    calls: each('s3', 'GetObject PutObject DeleteObject', OWN_KEY.replace(BUCKET, `${BUCKET}-2`)),
  },
  'names of others’ objects': {
    to: ROLES,
    calls: listing([
      '',
      'reindex-fleet',
      'reindex-fleet/',
      'reindex-fleet/books',
      'reindex-fleet/books-2/',
      'reindex-fleet/booksX/',
    ]),
  },
  'what the journal has for a rollback of the bucket': {
    to: ROLES,
    calls: each(
      's3',
      'DeleteObjectVersion GetObjectVersion PutObjectAcl BypassGovernanceRetention PutObjectRetention',
      OWN_KEY,
    ),
  },
  'what the bucket is': {
    to: ROLES,
    calls: each(
      's3',
      `DeleteBucket PutBucketPolicy DeleteBucketPolicy PutBucketVersioning PutLifecycleConfiguration PutBucketAcl
       PutBucketPublicAccessBlock PutEncryptionConfiguration PutBucketOwnershipControls PutReplicationConfiguration
       ListBucketVersions`,
      OWN_BUCKET,
    ),
  },
  'to change the sweeper': {
    to: ROLES,
    calls: [
      ...each(
        'lambda',
        'UpdateFunctionCode UpdateFunctionConfiguration AddPermission DeleteFunction PutFunctionConcurrency',
        functionArn(BOOKS),
      ),
      ...each(
        'scheduler',
        'UpdateSchedule DeleteSchedule',
        arn('scheduler', `schedule/default/${BOOKS.schedule}`),
      ),
    ],
  },
  'to invoke the sweeper': {
    to: ['orchestrator', 'workers', 'sweeper'],
    calls: oneOn('lambda:InvokeFunction', [functionArn(BOOKS)]),
  },
  'another function': {
    to: ROLES,
    calls: oneOn('lambda:InvokeFunction', [
      functionArn(namesIn('books-2')),
      functionArn(namesIn('book')),
      `${functionArn(BOOKS)}:1`,
    ]),
  },
  'logs of others': {
    to: ROLES,
    calls: [
      ...each('logs', 'CreateLogStream PutLogEvents', logStreamsArn(namesIn('books-2'))),
      ...each(
        'logs',
        'CreateLogGroup DeleteLogGroup DeleteLogStream PutRetentionPolicy',
        logStreamsArn(BOOKS),
      ),
    ],
  },
  'the log of the sweeper': {
    to: ['orchestrator', 'workers', 'scheduler'],
    calls: each('logs', 'CreateLogStream PutLogEvents', logStreamsArn(BOOKS)),
  },
  'other rights': {
    to: ROLES,
    calls: [
      ...each(
        'iam',
        'CreateRole PutRolePolicy AttachRolePolicy UpdateAssumeRolePolicy DeleteRole CreateAccessKey CreatePolicyVersion',
        role(BOOKS.workersRole),
      ),
      ...oneOn('sts:AssumeRole', [BOOKS.workersRole, BOOKS.sweeperRole, BOOKS.schedulerRole].map(role)),
      ...each('kms', 'Decrypt Encrypt', arn('kms', 'key/00000000-0000-0000-0000-000000000000')),
    ],
  },
  'a worker more than its end and its settings': {
    to: ['workers'],
    calls: [
      ...each('s3', 'GetObject PutObject DeleteObject', OWN_KEY),
      ...listing(['reindex-fleet/books/']),
      ...oneOn('s3:ListBucket', [OWN_BUCKET]),
      ...oneOn('autoscaling:SetDesiredCapacity', [theGroup(BOOKS)]),
      ...each('autoscaling', 'DescribeAutoScalingGroups DescribeScalingActivities', '*'),
      ...each('ec2', 'DescribeInstances DescribeImages', '*'),
    ],
  },
  'a schedule more than to invoke': {
    to: ['scheduler'],
    calls: [
      ...each('autoscaling', 'SetDesiredCapacity TerminateInstanceInAutoScalingGroup', theGroup(BOOKS)),
      ...each('s3', 'GetObject PutObject DeleteObject', OWN_KEY),
      ...each('ec2', 'DescribeInstances', '*'),
    ],
  },
};

describe('the IAM policies of a fleet', () => {
  test.each(Object.entries(FORBIDDEN))('forbid %s', (_, { to, calls }) => {
    const decisions = calls.flatMap((call) => to.map((who) => [who, call, decideFor(who, call)] as const));
    expect(decisions.filter(([, , decision]) => decision !== 'denied implicitly')).toEqual([]);
    // It is for want of permission: whoever may do everything may do that.
    expect(calls.filter((call) => decideFor('administrator', call) !== 'allowed')).toEqual([]);
  });

  test('forbid access to the journal without TLS, even for an administrator', () => {
    const context = { 'aws:SecureTransport': 'false' };
    const calls = [
      ...each('s3', 'GetObject PutObject DeleteObject DeleteObjectVersion', OWN_KEY),
      ...each('s3', 'ListBucket PutBucketPolicy DeleteBucket', OWN_BUCKET),
    ];
    for (const who of ['administrator', ...ROLES] as const)
      expect(new Set(calls.map((call) => decideFor(who, { ...call, context })))).toEqual(
        new Set(['denied explicitly']),
      );
  });

  test('cannot be widened by a pattern in the journal’s prefix', () => {
    const { prefix } = stackShape.shape.journal.unwrap().shape;
    expect(prefix.safeParse('reindex/a_.-').success).toBe(true);
    expect(prefix.safeParse('reindex-*').error?.issues).toMatchObject([{ message: "Without ! * ' ( )." }]);
  });
});

/** Where IAM cannot be narrower, or S3 needs more, as the code says: see `fleet-statements.ts`. */
describe('the IAM policies of a fleet, where they must be wider than needed,', () => {
  const terminate = 'autoscaling:TerminateInstanceInAutoScalingGroup';

  test('allow a worker to terminate other workers of its own group', () => {
    expect(decideFor('workers', { action: terminate, on: theGroup(BOOKS) })).toBe('allowed');
  });

  test('allow orchestrator and sweeper to list names, but not contents, in a bucket that fleets share', () => {
    for (const who of ['orchestrator', 'sweeper'] as const)
      expect(decideFor(who, { action: 's3:ListBucket', on: OWN_BUCKET })).toBe('allowed');
  });
});

describe('the trust policy of a role', () => {
  const SERVICES = ['ec2', 'lambda', 'scheduler', 'events', 'ecs-tasks'].map(
    (name) => `${name}.amazonaws.com`,
  );
  const here = { 'aws:SourceAccount': PLACE.account };

  test.each([
    ['ec2', trust('ec2'), {}],
    ['lambda', trust('lambda'), {}],
    ['scheduler', schedulerTrust(BOOKS), here],
  ])('for %s lets only that service assume the role', (service, document, context) => {
    const policy = parsePolicy(document, 'trust');
    const others = [role('administrator'), role(BOOKS.workersRole), `arn:aws:iam::${PLACE.account}:user/me`];
    const takers = [...SERVICES, ...others].filter((principal) => trusts(policy, principal, context));
    expect(takers).toEqual([`${service}.amazonaws.com`]);
  });

  test('for the scheduler lets only this account assume the role', () => {
    const policy = parsePolicy(schedulerTrust(BOOKS), 'trust');
    const elsewhere = { 'aws:SourceAccount': '210987654321' };
    expect(trusts(policy, 'scheduler.amazonaws.com', elsewhere)).toBe(false);
    expect(trusts(policy, 'scheduler.amazonaws.com', {})).toBe(false);
  });
});

describe('two fleets of any names', () => {
  const fleet = fc.stringMatching(/^[a-z][a-z0-9-]{0,22}[a-z0-9]$/);
  /** Those that are like each other are the ones that may be mixed up. */
  const pair = fleet
    .chain((name) =>
      fc.tuple(
        fc.constant(name),
        fc.oneof(
          fleet,
          fleet.map((more) => `${name}${more}`.slice(0, 24)),
          fleet.map((more) => `${name}-${more}`.slice(0, 24).replace(/-$/, 'x')),
          fc.nat(22).map((at) => name.slice(0, at + 2).replace(/-$/, 'x')),
        ),
      ),
    )
    .filter(([one, other]) => one !== other);

  test('cannot do anything to each other’s resources except describe them', () => {
    fc.assert(
      fc.property(pair, fc.uuid(), fc.string(), ([one, other], id, rest) => {
        const access = fleetAccess(namesIn(one));
        const identities = Object.values(access.identities);
        const actions = identities
          .flatMap(({ Statement }) => Statement.flatMap(({ Action = [] }) => Action))
          .filter((action) => !/^(autoscaling|ec2):Describe/.test(action));
        const theirs = namesIn(other);
        const resources = [
          groupArn(theirs).replace(':*:', `:${id}:`),
          object(`${theirs.journalPrefix}/${other}/${rest}`),
          ...[
            theirs.workerParameters,
            theirs.imageParameter,
            theirs.tokenParameter,
            ...secretsOf(theirs),
          ].map((name) => parameterArn(theirs, name)),
          functionArn(theirs),
          logStreamsArn(theirs).replace('*', rest),
        ];
        const allowed = resources.flatMap((resource) =>
          actions.filter((action) =>
            identities.some(
              (identity) =>
                decide({ action, resource, context: {}, principal: role('x') }, { identity: [identity] }) ===
                'allowed',
            ),
          ),
        );
        expect(allowed).toEqual([]);
      }),
    );
  });
});
