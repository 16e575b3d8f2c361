import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePolicy } from '../infra/policy-document.ts';
import {
  type AccessRequest,
  decide,
  type Decision,
  type Policies,
  trusts,
} from '../infra/policy-evaluator.ts';

/** The evaluator that says which calls a fleet's policies allow, held to IAM's user guide; see its files for the pages. */

const ROLE = 'arn:aws:iam::123456789012:role/workers';
const BUCKET = 'arn:aws:s3:::books';
const READ: AccessRequest = {
  action: 's3:GetObject',
  resource: `${BUCKET}/a/b`,
  context: { 'aws:SecureTransport': 'true' },
  principal: ROLE,
};

type Statement = Readonly<Record<string, unknown>>;
const documentOf = (...Statement: readonly Statement[]) => ({ Version: '2012-10-17', Statement });
const allow = (more: Statement = {}) => ({ Effect: 'Allow', Action: '*', Resource: '*', ...more });
const deny = (more: Statement = {}) => ({ ...allow(more), Effect: 'Deny' });

function identity(...statements: readonly Statement[]): Policies {
  return { identity: [parsePolicy(documentOf(...statements), 'identity')] };
}

function decideBy(statement: Statement, request: Partial<AccessRequest> = {}): Decision {
  return decide({ ...READ, ...request }, identity(statement));
}

function withCondition(Condition: Statement, context: AccessRequest['context']): boolean {
  return decideBy(allow({ Condition }), { context }) === 'allowed';
}

const TLS_ALONE = parsePolicy(
  documentOf(deny({ Principal: '*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } })),
  'resource',
);

describe('a request to the policy evaluator', () => {
  test('is denied when nothing allows it', () => {
    expect(decide(READ, { identity: [] })).toBe('denied implicitly');
    expect(decideBy(allow({ Action: 's3:PutObject' }))).toBe('denied implicitly');
  });

  test('is denied by a deny in any policy, whatever allows it', () => {
    expect(decide(READ, identity(allow(), deny()))).toBe('denied explicitly');
    expect(
      decide(READ, { ...identity(allow()), boundary: parsePolicy(documentOf(deny()), 'identity') }),
    ).toBe('denied explicitly');
    const plain = { ...READ, context: { 'aws:SecureTransport': 'false' } };
    expect(decide(plain, { ...identity(allow()), resource: TLS_ALONE })).toBe('denied explicitly');
    expect(decide(READ, { ...identity(allow()), resource: TLS_ALONE })).toBe('allowed');
  });

  test('is allowed by the resource’s policy alone when that names the caller', () => {
    const byResource = (Principal: unknown) =>
      decide(READ, { identity: [], resource: parsePolicy(documentOf(allow({ Principal })), 'resource') });
    expect(byResource('*')).toBe('allowed');
    expect(byResource({ AWS: ROLE })).toBe('allowed');
    expect(byResource({ AWS: `${ROLE}s` })).toBe('denied implicitly');
    expect(byResource({ Service: 'ec2.amazonaws.com' })).toBe('denied implicitly');
  });

  test('needs an allow in the permissions boundary as well', () => {
    const bound = (boundary: Statement) =>
      decide(READ, { ...identity(allow()), boundary: parsePolicy(documentOf(boundary), 'identity') });
    expect(bound(allow({ Action: 's3:Get*' }))).toBe('allowed');
    expect(bound(allow({ Action: 'ssm:*' }))).toBe('denied implicitly');
  });

  test('to assume a role is decided by the trust policy', () => {
    const trust = parsePolicy(
      documentOf({
        Effect: 'Allow',
        Principal: { Service: 'scheduler.amazonaws.com' },
        Action: 'sts:AssumeRole',
        Condition: { StringEquals: { 'aws:SourceAccount': '123456789012' } },
      }),
      'trust',
    );
    expect(trusts(trust, 'scheduler.amazonaws.com', { 'aws:SourceAccount': '123456789012' })).toBe(true);
    expect(trusts(trust, 'scheduler.amazonaws.com', { 'aws:SourceAccount': '210987654321' })).toBe(false);
    expect(trusts(trust, 'scheduler.amazonaws.com', {})).toBe(false);
    expect(trusts(trust, 'lambda.amazonaws.com', { 'aws:SourceAccount': '123456789012' })).toBe(false);
    expect(trusts(trust, ROLE, { 'aws:SourceAccount': '123456789012' })).toBe(false);
  });
});

describe('an action in a policy', () => {
  test.each([
    ['s3:getobject', true],
    ['S3:Get*', true],
    ['s3:G?tObject', true],
    ['*', true],
    ['s3:GetObjectVersion', false],
    ['s3:Object', false],
    ['ssm:GetObject', false],
  ])('written as %s matches s3:GetObject: %s', (Action, isMeant) => {
    expect(decideBy(allow({ Action }))).toBe(isMeant ? 'allowed' : 'denied implicitly');
    const rest = allow({ NotAction: Action, Action: undefined });
    expect(decideBy(rest)).toBe(isMeant ? 'denied implicitly' : 'allowed');
  });
});

describe('a resource in a policy', () => {
  test.each([
    ['*', true],
    [`${BUCKET}/*`, true],
    [`${BUCKET}/a/?`, true],
    [`${BUCKET}/*/b`, true],
    ['arn:aws:s3:::book*', true],
    [`${BUCKET}/A/b`, false],
    [`${BUCKET}/a`, false],
    [BUCKET, false],
    [`${BUCKET}.a/b`, false],
    ['arn:aws:s3:::book?', false],
  ])('written as %s matches the object a/b of the bucket: %s', (Resource, isMeant) => {
    expect(decideBy(allow({ Resource }))).toBe(isMeant ? 'allowed' : 'denied implicitly');
    const rest = allow({ NotResource: Resource, Resource: undefined });
    expect(decideBy(rest)).toBe(isMeant ? 'denied implicitly' : 'allowed');
  });

  test('extends past a colon only when that part of the pattern is at its end', () => {
    const group =
      'arn:aws:autoscaling:eu-central-1:123456789012:autoScalingGroup:0f1e:autoScalingGroupName/books';
    const matches = (Resource: string) => decideBy(allow({ Resource }), { resource: group }) === 'allowed';
    expect(matches(group.replace('0f1e', '*'))).toBe(true);
    expect(matches('arn:aws:autoscaling:*:*:autoScalingGroup:*')).toBe(true);
    expect(matches('arn:aws:autoscaling:eu-central-1:123456789012:*books')).toBe(false);
    expect(matches(group.replace('0f1e', '????'))).toBe(true);
    expect(matches(group.replace(':0f1e:', '?0f1e?'))).toBe(false);
  });
});

describe('a condition in a policy', () => {
  const key = 's3:prefix';

  test.each([
    ['StringEquals', 'a/*', { 'a/*': true, 'a/b': false, 'A/*': false }, false],
    ['StringNotEquals', 'a/*', { 'a/*': false, 'a/b': true }, true],
    ['StringEqualsIfExists', 'a', { a: true, b: false }, true],
    ['StringLike', 'a/*', { 'a/': true, 'a/b:c/d': true, 'A/b': false, a: false }, false],
    ['StringLikeIfExists', 'a/*', { 'a/b': true, b: false, '': false }, true],
    ['StringNotLike', 'a/*', { 'a/b': false, b: true }, true],
    ['StringNotLikeIfExists', 'a/*', { 'a/b': false, b: true }, true],
    ['Bool', 'false', { false: true, False: true, true: false }, false],
    ['BoolIfExists', 'false', { false: true, true: false }, true],
    [
      'ArnLike',
      'arn:aws:sns:*:123456789012:books*',
      { 'arn:aws:sns:eu-central-1:123456789012:books-2': true, 'arn:aws:sns:a:b:123456789012:books': false },
      false,
    ],
    ['ArnNotEquals', 'arn:aws:s3:::b', { 'arn:aws:s3:::b': false, 'arn:aws:s3:::c': true }, true],
    ['Null', 'true', { '': false, a: false }, true],
    ['Null', 'false', { '': true, a: true }, false],
  ] as const)(
    'with %s on %j decides by each value, and by a missing key',
    (operator, wanted, values, ifMissing) => {
      for (const [value, holds] of Object.entries(values))
        expect([value, withCondition({ [operator]: { [key]: wanted } }, { [key]: value })]).toEqual([
          value,
          holds,
        ]);
      expect(withCondition({ [operator]: { [key]: wanted } }, {})).toBe(ifMissing);
    },
  );

  test('holds for any one of its values, and for all of its keys and operators', () => {
    const two = { StringEquals: { a: ['1', '2'], b: '3' }, StringLike: { c: '4*' } };
    expect(withCondition(two, { a: '2', B: '3', c: '44' })).toBe(true);
    expect(withCondition(two, { a: '2', b: '3', c: '5' })).toBe(false);
    expect(withCondition(two, { a: '2', b: '4', c: '44' })).toBe(false);
    expect(withCondition({ StringNotEquals: { a: ['1', '2'] } }, { a: '2' })).toBe(false);
  });
});

describe('the parser of policies', () => {
  test.each<[string, unknown, string]>([
    ['another version', { Version: '2008-10-17', Statement: [allow()] }, 'Version'],
    ['no version', { Statement: [allow()] }, 'Version'],
    ['no statement', documentOf(), 'Statement'],
    ['an element of another name', documentOf(allow({ Conditions: {} })), 'Conditions'],
    ['another principal', documentOf(allow({ NotPrincipal: '*' })), 'NotPrincipal'],
    ['neither action nor its opposite', documentOf(allow({ Action: undefined })), 'Either Action'],
    ['both', documentOf(allow({ NotAction: '*' })), 'Either Action'],
    ['both resources', documentOf(allow({ NotResource: '*' })), 'not both'],
    ['no resource', documentOf(allow({ Resource: undefined })), 'there is no resource'],
    ['a principal of an identity', documentOf(allow({ Principal: '*' })), 'a principal stands'],
    [
      'a variable in a resource',
      documentOf(allow({ Resource: `${BUCKET}/\${aws:username}/*` })),
      'Policy variables',
    ],
    [
      'a variable in a condition',
      documentOf(allow({ Condition: { StringEquals: { a: '${aws:username}' } } })),
      'Policy variables',
    ],
    ['an action without service', documentOf(allow({ Action: 'GetObject' })), 'An action'],
    ['a resource that is no ARN', documentOf(allow({ Resource: 'books/*' })), 'An ARN'],
    ['an ARN that lacks parts', documentOf(allow({ Resource: 'arn:aws:s3:*' })), 'An ARN'],
  ])('refuses a policy with %s', (_, document, said) => {
    expect(() => parsePolicy(document, 'identity')).toThrow(said);
  });

  test.each([{ AWS: '123456789012' }, { AWS: 'arn:aws:iam::123456789012:root' }, { Federated: 'x' }])(
    'refuses a principal that delegates: %j',
    (Principal) => {
      expect(() => parsePolicy(documentOf(allow({ Principal })), 'resource')).toThrow('Principal');
    },
  );

  test.each(['NumericLessThan', 'IpAddress', 'DateGreaterThan', 'ForAnyValue:StringLike', 'StringLikes'])(
    'refuses the operator %s, wherever it stands',
    (operator) => {
      const Condition = { [operator]: { a: '1' } };
      const elsewhere = deny({ Action: 'ssm:PutParameter', Condition });
      expect(() => decide(READ, identity(allow(), elsewhere))).toThrow(operator);
    },
  );

  test('refuses to decide on a resource policy together with a boundary', () => {
    const boundary = parsePolicy(documentOf(allow()), 'identity');
    const resource = parsePolicy(documentOf(allow({ Principal: '*' })), 'resource');
    expect(() => decide(READ, { identity: [], resource, boundary })).toThrow('boundary');
  });
});

describe('any set of policies', () => {
  const action = fc.constantFrom('*', 's3:*', 's3:Get*', 's3:GetObject', 's3:PutObject', 'ssm:GetParameter');
  const resource = fc.constantFrom('*', `${BUCKET}/*`, `${BUCKET}/a/*`, BUCKET, 'arn:aws:s3:::other/*');
  const statements = fc.array(
    fc.record({
      Effect: fc.constantFrom('Allow', 'Deny'),
      Action: fc.array(action, { minLength: 1, maxLength: 3 }),
      Resource: fc.array(resource, { minLength: 1, maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 5 },
  );
  const request = fc.record({
    action: fc.constantFrom('s3:GetObject', 's3:PutObject', 'ssm:GetParameter'),
    resource: fc.constantFrom(`${BUCKET}/a/b`, `${BUCKET}/c`, BUCKET),
    context: fc.constant({}),
    principal: fc.constant(ROLE),
  });

  test('decides the same in any order, and in one document or several', () => {
    fc.assert(
      fc.property(statements, request, (given, asked) => {
        const whole = decide(asked, identity(...given));
        expect(decide(asked, identity(...given.toReversed()))).toBe(whole);
        const apart = given.map((statement) => parsePolicy(documentOf(statement), 'identity'));
        expect(decide(asked, { identity: apart })).toBe(whole);
      }),
    );
  });

  test('allows no more with an added deny, and no less with an added allow', () => {
    fc.assert(
      fc.property(statements, statements, request, (given, more, asked) => {
        const isAllowed = (all: readonly Statement[]) => decide(asked, identity(...all)) === 'allowed';
        const as = (Effect: string) => more.map((statement) => ({ ...statement, Effect }));
        const [withDenies, withNone, withAllows] = [as('Deny'), [], as('Allow')].map((others) =>
          Number(isAllowed([...given, ...others])),
        );
        expect(withDenies).toBeLessThanOrEqual(withNone ?? -1);
        expect(withAllows).toBeGreaterThanOrEqual(withNone ?? 2);
      }),
    );
  });

  test('allows within a boundary only what both allow', () => {
    fc.assert(
      fc.property(statements, statements, request, (given, bounds, asked) => {
        const boundary = parsePolicy(documentOf(...bounds), 'identity');
        const both = [identity(...given), identity(...bounds)].every(
          (policies) => decide(asked, policies) === 'allowed',
        );
        expect(decide(asked, { ...identity(...given), boundary }) === 'allowed').toBe(both);
      }),
    );
  });
});
