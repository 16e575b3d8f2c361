import { describe, expect, inject, it, vi } from 'vitest';
import { runCommandOrPhase } from '../../orchestrator/command/run.ts';
import { statusCommand } from '../../orchestrator/command/status.ts';
import { startApiProxy } from '../aws/api-proxy.ts';
import type { AwsCall } from '../aws/aws-call.ts';
import { awsEnvironment, REGION } from '../aws/aws-clients.ts';
import { createTestBucket } from '../aws/test-bucket.ts';
import { eventually } from '../support/run-eventually.ts';
import { type RunSetup, setUpRun, type TestScope } from '../support/run-setup.ts';
import { commandOf } from '../support/own-command.ts';
import { PLACES, placesDatabase, ROWS } from '../support/run-table.ts';
import { onlyTarget } from '../support/run-values.ts';
import { sampled } from '../support/sampled.ts';

/** Commands whose journal is in a bucket, with workers on this machine. */

const awsUrl = inject('awsUrl') ?? '';
const database = placesDatabase();

async function setUp(scope: TestScope): Promise<RunSetup> {
  return setUpRun(scope, {
    databaseUrl: database.url(),
    definition: PLACES,
    settings: {
      journal: { url: `s3://${await createTestBucket(awsUrl)}/reindex-fleet`, lease_ms: 60_000 },
      aws: { region: REGION },
    },
  });
}

describe.skipIf(awsUrl === '')('a run whose journal is in a bucket', { timeout: 240_000 }, () => {
  it('ends well although calls to S3 fail, and is found by its key afterwards', async (scope) => {
    const proxy = await startApiProxy(scope, awsUrl);
    for (const [name, value] of Object.entries(awsEnvironment(proxy.url))) vi.stubEnv(name, value);
    scope.onTestFinished(() => Promise.resolve(void vi.unstubAllEnvs()));
    const setup = await setUp(scope);
    const everyThird = (): (() => boolean) => {
      let calls = 0;
      return () => ++calls % 3 === 0;
    };
    proxy.fail({ action: 'PutObject', matching: everyThird(), with: 'lost answer' });
    proxy.fail({ action: 'PutObject', matching: everyThird(), with: 'conflict' });
    // Many objects are read at the same time: each fails once.
    const keys = new Set<string>();
    const isFirst = ({ parameters }: AwsCall): boolean => {
      const known = keys.size;
      return keys.add(parameters['Key'] ?? '').size > known;
    };
    proxy.fail({ action: 'GetObject', matching: isFirst, with: 'internal error' });
    proxy.fail({ action: 'ListObjectsV2', matching: everyThird(), with: 'throttled' });

    for (const phase of ['claim', 'create-index'] as const)
      await runCommandOrPhase(await commandOf(setup), phase);
    const result = await runCommandOrPhase(await commandOf(setup), 'run');
    expect(result).toMatchObject({ status: 'done', targets: [{ indexed: ROWS }] });
    expect(await setup.served()).toEqual([onlyTarget(result)['index']]);
    expect(await runCommandOrPhase(await commandOf(setup), 'run')).toMatchObject({
      targets: [{ index: onlyTarget(result)['index'] }],
      finished_before: true,
    });
    expect(await statusCommand(await commandOf(setup))).toMatchObject({
      status: 'finished',
      held_by: null,
    });
    expect(proxy.calls.filter(({ fault }) => fault !== null).length).toBeGreaterThan(10);
  });

  sampled(['SIGINT', 'SIGTERM'] as const, 1)('leaves at %s although S3 hangs', async (signal, scope) => {
    const proxy = await startApiProxy(scope, awsUrl);
    const setup = await setUp(scope);
    proxy.fail({ action: 'ListObjectsV2', with: { delayMs: 60_000 } });
    const command = setup.startWith({ environment: awsEnvironment(proxy.url) }, 'status');
    await eventually('the command waits for S3', () => proxy.callsOf('ListObjectsV2').length > 0);
    command.child.kill(signal);
    const { code, result } = await command.ended;
    expect(code).toBe(signal === 'SIGINT' ? 130 : 143);
    expect(result).toMatchObject({ status: 'interrupted' });
  });
});
