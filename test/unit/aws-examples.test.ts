import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { SOURCE_PARAMETERS, TARGET_PARAMETERS } from '../../orchestrator/run/credentials.ts';
import { WORKER_NODE_FLAGS } from '../../worker/contract.ts';
import { settingsSchema } from '../../worker/settings-schema.ts';
import { readPolicy } from '../aws/example-policy.ts';

/** What README tells a user to put on AWS. That the orchestrator's policy suffices: aws-permissions.test.ts. */

test.each(['orchestrator', 'workers'] as const)('the policy of the %s only looks anywhere', async (role) => {
  const { anywhere } = await readPolicy(role);
  for (const action of anywhere) expect(action).toMatch(/^(autoscaling|ec2):Describe/);
});

test('the workers may end their instances and read their settings, no more', async () => {
  const { actions } = await readPolicy('workers');
  expect(actions.toSorted()).toEqual([
    'autoscaling:TerminateInstanceInAutoScalingGroup',
    'kms:Decrypt',
    'ssm:GetParametersByPath',
  ]);
});

test('the orchestrator may read image, token and the passwords that it shares with the workers, no other parameter', async () => {
  const { resourcesOf } = await readPolicy('orchestrator');
  const names = ['token', ...SOURCE_PARAMETERS, ...TARGET_PARAMETERS].map((name) => `worker/${name}`);
  const prefix = 'arn:aws:ssm:eu-central-1:123456789012:parameter/reindex-fleet/books';
  expect(resourcesOf('ssm:GetParameter')).toEqual(['image', ...names].map((name) => `${prefix}/${name}`));
});

test('the unit starts a worker as it is to be started, and never one that has ended by itself', async () => {
  const unit = await readFile(new URL('../../examples/aws/reindex-worker.service', import.meta.url), 'utf8');
  expect(unit).toContain(`/node_modules/.bin/node ${WORKER_NODE_FLAGS.join(' ')} worker/main.ts\n`);
  expect(unit).toMatch(/^Restart=on-abnormal$/m);
  expect(unit).toMatch(/^EnvironmentFile=\/etc\/reindex-fleet\/worker\.env$/m);
});

test('the environment of a worker has settings that there are', async () => {
  const file = await readFile(new URL('../../examples/aws/worker.env', import.meta.url), 'utf8');
  const variables = [...file.matchAll(/^REINDEX_WORKER_(\w+)=/gm)].map(([, name = '']) => name);
  expect(variables).toHaveLength(3);
  expect(Object.keys(settingsSchema.shape)).toEqual(
    expect.arrayContaining(variables.map((name) => name.toLowerCase())),
  );
});
