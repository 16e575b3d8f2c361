import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { awsEnvironment } from '../aws/aws-clients.ts';
import {
  EXAMPLE_CONFIGURATION,
  exampleProvider,
  installExample,
  type InstalledExample,
} from '../infra/example-program.ts';
import { startPolicyServer } from '../infra/policy-server.ts';
import { shownTo } from '../infra/policy-run.ts';
import { type HostedRun, hostProgram } from '../infra/language-host.ts';

/**
 * The example as its user has it: in a folder of its own, with own copies of Pulumi's packages and a link to the clone, run by
 * the SDK's runner.
 */

const PROJECT = 'shop-search';
const STACK_URN = `urn:pulumi:shop::${PROJECT}::pulumi:pulumi:Stack::${PROJECT}-shop`;

const awsUrl = inject('awsUrl') ?? '';
/** Each run loads AWS's provider twice. */
describe.skipIf(awsUrl === '')('the Pulumi example in a project of its own', { timeout: 300_000 }, () => {
  let example: InstalledExample;

  beforeAll(async () => {
    example = await installExample();
  }, 300_000);
  afterAll(() => example.remove());

  async function run(preview: boolean): Promise<HostedRun['monitor']> {
    const configuration = Object.entries(EXAMPLE_CONFIGURATION).map(
      ([key, value]) => [`${PROJECT}:${key}`, value] as const,
    );
    const { monitor, ...end } = await hostProgram(Object.fromEntries(configuration), {
      folder: example.folder,
      stack: 'shop',
      preview,
      provider: exampleProvider,
      environment: awsEnvironment(awsUrl),
    });
    expect(end).toMatchObject({ said: [], exitCode: 0, output: '' });
    return monitor;
  }

  it('keeps outputs, secrets, parents and dependencies between two copies of the SDK', async () => {
    const { registrations, shownOutputs } = await run(false);
    expect(registrations.filter(({ type }) => type === 'aws:autoscaling/group:Group')).toHaveLength(2);
    expect(new Set(registrations.filter(({ parent }) => parent === '').map(({ urn }) => urn))).toEqual(
      new Set([STACK_URN]),
    );
    const url = registrations.find(({ name }) => name === 'shop-production-worker-database-url');
    expect(url?.inputs).toMatchObject({
      value: 'postgres://reader:production%2Fsecret@shop-production.db.internal:5432/shop?sslmode=require',
    });
    expect(url?.shown).toMatchObject({ value: '[secret]' });
    expect(url?.options.inputDependencies['value']?.map((urn) => urn.split('::').at(-1))).toEqual([
      'shop-production',
    ]);
    expect(shownOutputs.get(STACK_URN)).toMatchObject({
      staging: { source: { url: expect.stringContaining('@shop-staging.db.internal:') } },
      production: { auto_scaling: { group: 'reindex-fleet-shop-production' } },
    });
    const shown = JSON.stringify([...shownOutputs.values()]);
    for (const secret of ['staging-secret', 'production/secret', 'production%2Fsecret'])
      expect(shown).not.toContain(secret);
  });

  it('passes a preview by the policy pack of its linked clone', async () => {
    const resources = shownTo(await run(true));
    const pack = await startPolicyServer(
      join(example.folder, 'node_modules', 'reindex-fleet', 'infra', 'policies'),
    );
    try {
      for (const resource of resources) expect(await pack.analyze(resource)).toEqual([]);
      expect(await pack.analyzeStack(resources)).toEqual([]);
    } finally {
      await pack.stop();
    }
  });
});
