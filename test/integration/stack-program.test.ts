import { randomUUID } from 'node:crypto';
import { describe, expect, inject, it } from 'vitest';
import { writeClaim } from '../../orchestrator/journal/claims.ts';
import { currentHolder } from '../../orchestrator/journal/lock.ts';
import { awsEnvironment } from '../aws/aws-clients.ts';
import { createTestBucket, openTestStore } from '../aws/test-bucket.ts';
import { hostProgram } from '../infra/language-host.ts';
import { runProgram } from '../infra/program-run.ts';
import type { ResourceMonitor } from '../infra/resource-monitor.ts';
import { HIDDEN, LEAST } from '../infra/stack-configurations.ts';
import { claimedAliases } from '../support/run-values.ts';

/** The stack's program in Pulumi's own runner, as an engine starts it, over an AWS API. */

const awsUrl = inject('awsUrl') ?? '';
const PASSWORDS = { source_password: HIDDEN, target_api_key: HIDDEN };
/** What the SDK's runner ends with when it has told the engine what is wrong: nodeJSProcessExitedAfterLoggingUserActionableMessage. */
const TOLD = 32;

/** A stack of a name of its own, so that no bucket is there yet. */
function newStack() {
  return { stack: `s${randomUUID().slice(0, 8)}`, environment: awsEnvironment(awsUrl) };
}

describe.skipIf(awsUrl === '')('the stack program in Pulumi’s runner', { timeout: 240_000 }, () => {
  it('registers the same as in a test’s process, prints nothing, and ends when the engine is done', async () => {
    const host = newStack();
    const hosted = await hostProgram({ ...LEAST, ...PASSWORDS }, host);
    expect({ ...hosted, monitor: null }).toEqual({
      monitor: null,
      said: [],
      exitCode: 0,
      signal: null,
      output: '',
    });
    expect(hosted.monitor.isDone).toBe(true);

    const run = await runProgram({ ...LEAST, ...PASSWORDS }, { stack: host.stack });
    expect(comparable(hosted.monitor)).toEqual(comparable(run));
    expect([...hosted.monitor.hooks.keys()]).toEqual(['fleet-has-no-run']);
    const [stack] = hosted.monitor.registrations;
    expect(hosted.monitor.shownOutputs.get(stack?.urn ?? '')).toEqual(run.shownOutputs);
    expect(run.shownOutputs).toMatchObject({
      settings: { fleet: host.stack },
      image: LEAST.image,
      orchestrator_policy: expect.stringMatching(/^arn:aws:iam::/),
      workers_security_group: expect.stringMatching(/^sg-/),
      sweeper: `reindex-fleet-${host.stack}-sweeper`,
    });
  });

  it('registers in a preview the same as in a test’s process', async () => {
    const host = newStack();
    const hosted = await hostProgram({ ...LEAST, ...PASSWORDS }, { ...host, preview: true });
    expect({ ...hosted, monitor: null }).toEqual({
      monitor: null,
      said: [],
      exitCode: 0,
      signal: null,
      output: '',
    });
    const run = await runProgram({ ...LEAST, ...PASSWORDS }, { stack: host.stack, preview: true });
    expect(comparable(hosted.monitor)).toEqual(comparable(run));
  });

  it('names every fault of the configuration and nothing else, and registers nothing', async () => {
    const host = newStack();
    const hosted = await hostProgram(
      { ...LEAST, ...PASSWORDS, imag: 'x', image: 'y', network: { orchestrator: {} } },
      host,
    );
    const file = `Pulumi.${host.stack}.yaml`;
    expect({ ...hosted, monitor: null }).toEqual({
      monitor: null,
      said: [
        {
          severity: 'error',
          message: [
            "The stack's configuration is not right; nothing was changed.",
            `${file} reindex-fleet:imag: This is not a setting. Did you mean "image"?`,
            `${file} reindex-fleet:image: The id of an image (ami-…), or the name of a parameter that holds one (/my/image).`,
            `${file} reindex-fleet:network.orchestrator: Say who may call the workers: write security_groups or cidrs.`,
          ].join('\n'),
        },
      ],
      exitCode: TOLD,
      signal: null,
      output: '',
    });
    expect(hosted.monitor.registrations.map(({ type }) => type)).toEqual(['pulumi:pulumi:Stack']);
  });

  it('holds the fleet’s lock as long as it lives, and releases it', async () => {
    const host = newStack();
    const bucket = await createTestBucket(awsUrl);
    const store = await openTestStore(awsUrl, { bucket, prefix: `reindex-fleet/${host.stack}` });
    const holders: unknown[] = [];
    const { exitCode, said } = await hostProgram(
      { ...LEAST, journal: { bucket } },
      { ...host, onRegistration: async () => void holders.push(await currentHolder(store)) },
    );
    expect({ exitCode, said }).toEqual({ exitCode: 0, said: [] });
    expect(holders.at(-1)).toMatchObject({ holder: { purpose: `pulumi up (stack ${host.stack})` } });
    expect(await currentHolder(store)).toBeNull();
  });

  it('registers nothing while a run holds the fleet, and says which run and what to do', async () => {
    const host = newStack();
    const bucket = await createTestBucket(awsUrl);
    const store = await openTestStore(awsUrl, { bucket, prefix: `reindex-fleet/${host.stack}` });
    await writeClaim(store, {
      held: true,
      runKey: 'monday',
      run: 'run-of-monday',
      aliases: claimedAliases('books'),
      at: '2026-01-01T00:00:00.000Z',
      ended: null,
    });
    const { monitor, said, exitCode, output } = await hostProgram({ ...LEAST, journal: { bucket } }, host);
    expect({ exitCode, output }).toEqual({ exitCode: TOLD, output: '' });
    expect(said).toEqual([
      {
        severity: 'error',
        message: expect.stringMatching(/^fleet s\w+: the run with key monday .* deploy again\.$/),
      },
    ]);
    expect(monitor.registrations.map(({ type }) => type)).toEqual(['pulumi:pulumi:Stack']);
  });
});

/** By URN, without the sweeper's program, which tests in one process do not bundle. */
function comparable({
  registrations,
}: Pick<ResourceMonitor, 'registrations'> | Awaited<ReturnType<typeof runProgram>>) {
  return Object.fromEntries(
    registrations.map(({ urn, inputs, shown, ...others }) => [
      urn,
      { ...others, inputs: { ...inputs, code: null }, shown: { ...shown, code: null } },
    ]),
  );
}
