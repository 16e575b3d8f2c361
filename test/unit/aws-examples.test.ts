import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { orchestratorPolicy } from '../../infra/access/orchestrator-policy.ts';
import type { PolicyDocument } from '../../infra/access/policy-document.ts';
import { workersPolicy } from '../../infra/access/workers-policy.ts';
import { namesOf } from '../../infra/names.ts';
import { WORKER_NODE_FLAGS } from '../../worker/contract.ts';
import { settingsSchema } from '../../worker/settings-schema.ts';

/** What the page of `examples/aws` tells a user to put on AWS who makes the group himself. */

/** As on that page. */
const NAMES = {
  ...namesOf(
    {
      fleet: 'books',
      bucket: 'books-reindex-journal',
      journalPrefix: 'reindex-fleet',
      imageParameter: null,
    },
    { account: '123456789012', region: 'eu-central-1', partition: 'aws' },
  ),
  group: 'books-fleet',
};

test.each([
  ['orchestrator', orchestratorPolicy(NAMES)],
  ['workers', workersPolicy(NAMES)],
])(
  'the example IAM policy of the %s equals the policy that a stack makes, plus kms:Decrypt for resources with their own key',
  async (role, made) => {
    const file = new URL(`../../examples/aws/${role}-policy.json`, import.meta.url);
    const { Statement: statements, ...rest } = JSON.parse(await readFile(file, 'utf8')) as PolicyDocument;
    const [decrypt, ...more] = statements.filter(({ Action }) => Action === 'kms:Decrypt');
    expect({ ...rest, Statement: statements.filter((statement) => statement !== decrypt) }).toEqual(made);
    expect(more).toEqual([]);
    expect(decrypt).toMatchObject({
      Effect: 'Allow',
      Resource: expect.stringMatching(/^arn:aws:kms:.*:key\//),
    });
  },
);

test('the example systemd unit starts a worker with its Node flags, and never restarts a worker that ended by itself', async () => {
  const unit = await readFile(new URL('../../examples/aws/reindex-worker.service', import.meta.url), 'utf8');
  expect(unit).toContain(`/node_modules/.bin/node ${WORKER_NODE_FLAGS.join(' ')} worker/main.ts\n`);
  expect(unit).toMatch(/^Restart=on-abnormal$/m);
  expect(unit).toMatch(/^EnvironmentFile=\/etc\/reindex-fleet\/worker\.env$/m);
});

test('the example environment file of a worker sets only variables that the worker knows', async () => {
  const file = await readFile(new URL('../../examples/aws/worker.env', import.meta.url), 'utf8');
  const variables = [...file.matchAll(/^REINDEX_WORKER_(\w+)=/gm)].map(([, name = '']) => name);
  expect(variables).toHaveLength(3);
  expect(Object.keys(settingsSchema.shape)).toEqual(
    expect.arrayContaining(variables.map((name) => name.toLowerCase())),
  );
});
