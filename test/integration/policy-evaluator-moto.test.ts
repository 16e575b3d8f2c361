import { spawn } from 'node:child_process';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, inject, test } from 'vitest';
import { cacheDirectory } from '../../embedded/cache.ts';
import { installMoto } from '../aws/moto-installation.ts';
import { parsePolicy } from '../infra/policy-document.ts';
import { decide } from '../infra/policy-evaluator.ts';

const JUDGE = fileURLToPath(new URL('../infra/moto_judge.py', import.meta.url));

/**
 * Where moto can judge: effects, actions and resources with `*`. It takes a condition that does not hold for a denial, knows
 * no `?` and no `NotResource`, and names an action in one way alone.
 */
const action = fc.constantFrom(
  '*',
  's3:*',
  's3:Get*',
  's3:*Object',
  's3:GetObject',
  'ssm:*',
  'ssm:GetParameter',
);
const resource = fc.constantFrom(
  '*',
  'arn:aws:s3:::books/*',
  'arn:aws:s3:::books/a/*',
  'arn:aws:s3:::books',
  'arn:aws:s3:::book*',
  'arn:aws:ssm:eu-central-1:123456789012:parameter/reindex-fleet/books/*',
  'arn:aws:ssm:*:123456789012:parameter/reindex-fleet/books/image',
);
const oneOrMany = (item: fc.Arbitrary<string>) =>
  fc.oneof(item, fc.array(item, { minLength: 1, maxLength: 3 }));
const statement = fc
  .record({
    element: fc.constantFrom('Action', 'NotAction'),
    Effect: fc.constantFrom('Allow', 'Allow', 'Deny'),
    actions: oneOrMany(action),
    Resource: oneOrMany(resource),
  })
  .map(({ element, actions, ...others }) => ({ [element]: actions, ...others }));
const judged = fc.record({
  document: fc
    .array(statement, { minLength: 1, maxLength: 4 })
    .map((Statement) => ({ Version: '2012-10-17', Statement })),
  action: fc.constantFrom('s3:GetObject', 's3:PutObject', 's3:ListBucket', 'ssm:GetParameter'),
  resource: fc.constantFrom(
    'arn:aws:s3:::books',
    'arn:aws:s3:::books/a/b',
    'arn:aws:s3:::books-2/a/b',
    'arn:aws:ssm:eu-central-1:123456789012:parameter/reindex-fleet/books/image',
    'arn:aws:ssm:eu-central-1:123456789012:parameter/reindex-fleet/books-2/image',
  ),
});
type Case = typeof judged extends fc.Arbitrary<infer Value> ? Value : never;

const WORDS = { PERMITTED: 'allowed', DENIED: 'denied explicitly', NEUTRAL: 'denied implicitly' } as const;

async function judgedByMoto(cases: readonly Case[]): Promise<string[]> {
  const installation = await installMoto(cacheDirectory(process.env), process.env);
  if ('missing' in installation) throw new Error(installation.missing);
  const { python, packages } = installation;
  const child = spawn(python, ['-s', JUDGE], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'], PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' },
  });
  child.stdin.end(JSON.stringify(cases));
  return ((await json(child.stdout)) as (keyof typeof WORDS)[]).map((name) => WORDS[name]);
}

test.skipIf(inject('awsUrl') === null)('the policy evaluator decides like moto', async () => {
  const cases = fc.sample(judged, 3_000);
  const words = cases.map(({ document, action, resource }) =>
    decide(
      { action, resource, context: {}, principal: 'nobody' },
      { identity: [parsePolicy(document, 'identity')] },
    ),
  );
  const found = cases.map((asked, at) => ({ ...asked, decision: words[at] }));
  const wanted = await judgedByMoto(cases);
  expect(found).toEqual(cases.map((asked, at) => ({ ...asked, decision: wanted[at] })));
  expect(new Set(wanted)).toEqual(new Set(Object.values(WORDS)));
});
