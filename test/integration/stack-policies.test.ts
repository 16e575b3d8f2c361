import analyzer from '@pulumi/pulumi/proto/analyzer_pb.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { policies } from '../../infra/policies/policies.ts';
import { planted, resourceIn } from '../infra/planted.ts';
import { type PolicyServer, startPolicyServer } from '../infra/policy-server.ts';
import { type Shown, shownTo } from '../infra/policy-run.ts';
import { runProgram } from '../infra/program-run.ts';
import { UNKNOWN } from '../infra/property-values.ts';
import { LEAST } from '../infra/stack-configurations.ts';

/** The policy pack in the SDK's own runner. What each policy tells: infra-policies.test.ts. */

const { MANDATORY } = analyzer.EnforcementLevel;

let server: PolicyServer;
let stack: readonly Shown[];

beforeAll(async () => {
  server = await startPolicyServer();
  stack = shownTo(await runProgram(LEAST));
});
afterAll(() => server.stop());

test('the policy server tells an engine what the pack is', async () => {
  const info = await server.info();
  expect(info).toMatchObject({
    name: 'reindex-fleet',
    version: expect.stringMatching(/^\d/),
    supportsconfig: true,
  });
  expect(info.policiesList.map(({ name, enforcementlevel }) => [name, enforcementlevel])).toEqual(
    policies.map(({ name }) => [name, MANDATORY]),
  );
});

test('the policy server accepts the stack, resource by resource and as a whole', async () => {
  for (const resource of stack) expect(await server.analyze(resource)).toEqual([]);
  expect(await server.analyzeStack(stack)).toEqual([]);
});

test('the policy server accepts a preview of the stack', async () => {
  const preview = shownTo(await runProgram(LEAST, { preview: true }));
  expect(resourceIn(preview, 'SecurityGroupIngressRule').props).toMatchObject({ securityGroupId: UNKNOWN });
  for (const resource of preview) expect(await server.analyze(resource)).toEqual([]);
  expect(await server.analyzeStack(preview)).toEqual([]);
});

test('the policy server refuses a bad resource with the name of the violated policy', async () => {
  const type = 'SecurityGroupIngressRule';
  const bad = resourceIn(planted(stack, type, 'cidrIpv4', '0.0.0.0/0'), type);
  const [rule, ...others] = await server.analyze(bad);
  expect(others).toEqual([]);
  expect(rule).toMatchObject({
    policyname: 'no-public-ingress',
    policypackname: 'reindex-fleet',
    enforcementlevel: MANDATORY,
    message: expect.stringContaining(`${bad.name}, cidrIpv4: 0.0.0.0/0 lets in`),
  });
});

test('the policy server accepts a value that a preview does not know', async () => {
  const type = 'LaunchTemplate';
  for (const path of ['metadataOptions', 'blockDeviceMappings', 'tags', 'tagSpecifications.0']) {
    const template = resourceIn(planted(stack, type, path, UNKNOWN), type);
    expect(await server.analyze(template)).toEqual([]);
  }
});

test('the policy server refuses a bucket for a resource that is missing beside it', async () => {
  const bare = stack.filter(({ type }) => !type.endsWith(':BucketPublicAccessBlock'));
  expect(await server.analyzeStack(bare)).toEqual([
    expect.objectContaining({
      policyname: 'private-buckets',
      enforcementlevel: MANDATORY,
      urn: resourceIn(stack, 'Bucket').urn,
      message: expect.stringContaining('fleet-journal, BucketPublicAccessBlock'),
    }),
  ]);
});
