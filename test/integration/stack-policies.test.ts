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

test('an engine is told what the pack is', async () => {
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

test('a stack is let pass, resource by resource and as a whole', async () => {
  for (const resource of stack) expect(await server.analyze(resource)).toEqual([]);
  expect(await server.analyzeStack(stack)).toEqual([]);
});

test('a preview, too', async () => {
  const preview = shownTo(await runProgram(LEAST, { preview: true }));
  expect(resourceIn(preview, 'SecurityGroupIngressRule').props).toMatchObject({ securityGroupId: UNKNOWN });
  for (const resource of preview) expect(await server.analyze(resource)).toEqual([]);
  expect(await server.analyzeStack(preview)).toEqual([]);
});

test('a bad resource is refused, by the policy that it violates', async () => {
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

test('a value that a preview does not know is no reason to refuse, nor to say that a policy could not run', async () => {
  const type = 'LaunchTemplate';
  for (const path of ['metadataOptions', 'blockDeviceMappings', 'tags', 'tagSpecifications.0']) {
    const template = resourceIn(planted(stack, type, path, UNKNOWN), type);
    expect(await server.analyze(template)).toEqual([]);
  }
});

test('a bucket is refused for what is not beside it', async () => {
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
