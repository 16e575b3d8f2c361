import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, inject, it } from 'vitest';
import { findDriver } from '../../orchestrator/run/driver.ts';
import { writeClaim } from '../../orchestrator/journal/claims.ts';
import { currentHolder } from '../../orchestrator/journal/lock.ts';
import type { JournalStore } from '../../orchestrator/journal/store.ts';
import { startApiProxy } from '../aws/api-proxy.ts';
import { awsEnvironment, REGION } from '../aws/aws-clients.ts';
import { createTestBucket, openTestStore } from '../aws/test-bucket.ts';
import { type Deployment, REQUEST_VARIABLE, startDeployment } from '../infra/deployment.ts';
import { beforeDelete, type PreviousInputs } from '../infra/hook-calls.ts';
import { type HostedRun, type HostOptions, hostProgram } from '../infra/language-host.ts';
import { errorOf, resultOf } from '../support/run-command.ts';
import { eventually } from '../support/run-eventually.ts';
import { setUpRun, type TestScope } from '../support/run-setup.ts';
import { PLACES, placesDatabase } from '../support/run-table.ts';
import { claimedAliases } from '../support/run-values.ts';
import { sampled } from '../support/sampled.ts';

/** A deployment and commands of the orchestrator, each a process of its own, over one journal in a bucket. */

const awsUrl = inject('awsUrl') ?? '';
const database = placesDatabase();
const PREFIX = 'reindex-fleet';
const HELD_STACK = fileURLToPath(new URL('../infra/held-stack-program.ts', import.meta.url));
/** Long beside what a busy machine takes for a renewal, short enough to wait for. */
const LEASE_MS = 10_000;
/** So long that nobody in a test outlasts it. */
const LONG_LEASE_MS = 600_000;
const HELD =
  /fleet books: the run with key monday \(alias books\) has held the fleet since 2026-01-01T00:00:00.000Z; no process drives it now\. .* `npm run reindex-fleet -- status --stack production` .* or end it with `abandon`\. Then deploy again\./;

interface Journal {
  readonly bucket: string;
  readonly fleet: string;
  readonly store: JournalStore;
}

async function makeJournal(fleet = 'books'): Promise<Journal> {
  const bucket = await createTestBucket(awsUrl);
  return { bucket, fleet, store: await openTestStore(awsUrl, { bucket, prefix: `${PREFIX}/${fleet}` }) };
}

function deploy(
  scope: TestScope,
  { bucket, fleet }: Pick<Journal, 'bucket' | 'fleet'>,
  { preview = false, leaseMs = LEASE_MS, url = awsUrl } = {},
): Deployment {
  const journal = { region: REGION, profile: null, bucket, prefix: PREFIX, fleet, leaseMs };
  return startDeployment(scope, { journal, stack: 'production', preview, engine: null }, awsEnvironment(url));
}

function claimFor(store: JournalStore, runKey: string): Promise<boolean> {
  return writeClaim(store, {
    held: true,
    runKey,
    run: `run-of-${runKey}`,
    aliases: claimedAliases('books'),
    at: '2026-01-01T00:00:00.000Z',
    ended: null,
  });
}

describe.skipIf(awsUrl === '')('a deployment process', { timeout: 120_000 }, () => {
  it('is refused while a run holds the fleet, even if no process drives the run, and a preview warns', async (scope) => {
    const journal = await makeJournal();
    await claimFor(journal.store, 'monday');
    const refused = await deploy(scope, journal).end();
    expect(refused.code).toBe(1);
    expect(refused.words).toMatch(/^refused: /);
    expect(refused.words).toMatch(HELD);

    const proxy = await startApiProxy(scope, awsUrl);
    const preview = await deploy(scope, journal, { preview: true, url: proxy.url }).end();
    expect(preview.code).toBe(0);
    expect(preview.words).toMatch(/^warn: /);
    expect(preview.words).toMatch(HELD);
    expect(proxy.callsOf('PutObject')).toEqual([]);
  });

  it('goes on while there is no bucket yet', async (scope) => {
    const nowhere = { bucket: `nowhere-${randomUUID()}`, fleet: 'books' };
    expect(await deploy(scope, nowhere).end()).toEqual({ code: 0, words: 'goes on\ndone\n' });
  });

  it('fails when it may not read the journal and names the missing permission, and a preview warns', async (scope) => {
    const journal = await makeJournal();
    const proxy = await startApiProxy(scope, awsUrl);
    proxy.fail({
      action: 'ListObjectsV2',
      with: {
        status: 403,
        code: 'AccessDenied',
        message: `User: somebody is not authorized to perform: s3:ListBucket on resource: "${journal.bucket}"`,
      },
    });
    const missing = `(the permission s3:ListBucket is missing: allow it for ${journal.bucket},`;
    const failed = await deploy(scope, journal, { url: proxy.url }).end();
    expect(failed).toMatchObject({ code: 1, words: expect.stringContaining(missing) });
    expect(failed.words).toMatch(/^failed: /);
    const preview = await deploy(scope, journal, { url: proxy.url, preview: true }).end();
    expect(preview).toMatchObject({ code: 0, words: expect.stringContaining(missing) });
    expect(preview.words).toMatch(/^warn: /);
  });

  it('ends by itself when its work is done although it renews a lock, and releases the lock', async (scope) => {
    const journal = await makeJournal();
    const deployment = deploy(scope, journal, { leaseMs: LONG_LEASE_MS });
    await deployment.said('goes on');
    expect(await currentHolder(journal.store)).toMatchObject({
      holder: { purpose: 'pulumi up (stack production)', pid: deployment.child.pid },
    });
    expect(await deployment.end()).toMatchObject({ code: 0 });
    expect(await currentHolder(journal.store)).toBeNull();
  });

  it('that was killed leaves a lock that another process of the machine takes over at once', async (scope) => {
    const journal = await makeJournal();
    const killed = deploy(scope, journal, { leaseMs: LONG_LEASE_MS });
    await killed.said('goes on');
    killed.child.kill('SIGKILL');
    await once(killed.child, 'close');
    const next = deploy(scope, journal, { leaseMs: LONG_LEASE_MS });
    await next.said('goes on');
    expect(await currentHolder(journal.store)).toMatchObject({ epoch: 2, holder: { pid: next.child.pid } });
  });

  it('waits for another deployment, and goes on when that is done', async (scope) => {
    const journal = await makeJournal();
    const first = deploy(scope, journal, { leaseMs: LONG_LEASE_MS });
    await first.said('goes on');
    const second = deploy(scope, journal, { leaseMs: LONG_LEASE_MS });
    await second.said('info: waiting for the lock: pulumi up (stack production), process');
    await first.end();
    await second.said('goes on');
    expect(await currentHolder(journal.store)).toMatchObject({ epoch: 2, holder: { pid: second.child.pid } });
    expect(await second.end()).toMatchObject({ code: 0 });
  });
});

/** By the SDK's own runner, with an engine that is a test's. */
describe.skipIf(awsUrl === '')('a Pulumi program with the SDK’s own runner', { timeout: 120_000 }, () => {
  const run = (
    { bucket, fleet }: Pick<Journal, 'bucket' | 'fleet'>,
    lastSteps: NonNullable<HostOptions['lastSteps']>,
    leaseMs = LONG_LEASE_MS,
  ): Promise<HostedRun> => {
    const journal = { region: REGION, profile: null, bucket, prefix: PREFIX, fleet, leaseMs };
    return hostProgram(
      {},
      {
        program: HELD_STACK,
        stack: 'production',
        environment: { ...awsEnvironment(awsUrl), [REQUEST_VARIABLE]: JSON.stringify({ journal }) },
        lastSteps,
      },
    );
  };

  it('holds the lock until the last step of the engine, and then releases it', async () => {
    const journal = await makeJournal();
    const seen: unknown[] = [];
    const ended = await run(journal, async (monitor) => {
      seen.push(await beforeDelete(monitor, 'group'));
      seen.push(await currentHolder(journal.store));
    });
    expect(ended).toMatchObject({ exitCode: 0, said: [], output: '' });
    expect(seen).toEqual([
      [],
      expect.objectContaining({
        holder: expect.objectContaining({ purpose: 'pulumi up (stack production)' }),
      }),
    ]);
    expect(await currentHolder(journal.store)).toBeNull();
  });

  sampled(['SIGKILL', 'SIGINT'] as const, 1)(
    'that is ended by %s leaves the lock held, and renewed, until the engine has done the steps under way',
    async (signal, scope) => {
      const journal = await makeJournal();
      const seen: unknown[] = [];
      const ended = await run(
        journal,
        async (_, program) => {
          await program.end(signal);
          seen.push(await findDriver(journal.store), await deploy(scope, journal).end());
        },
        LEASE_MS,
      );
      expect(ended).toMatchObject({ exitCode: null, signal });
      const purpose = 'pulumi up (stack production)';
      expect(seen).toEqual([
        expect.objectContaining({ purpose, state: 'alive', epoch: 1 }),
        { code: 1, words: expect.stringContaining(`another process holds the fleet: ${purpose}`) },
      ]);
      await eventually('the lock is given back', async () => (await currentHolder(journal.store)) === null);
    },
  );

  it('may not delete what a run claimed meanwhile, when there was no bucket at first', async () => {
    const place = { bucket: `books-${randomUUID()}`, fleet: 'books' };
    const said: string[] = [];
    const ended = await run(place, async (monitor) => {
      await createTestBucket(awsUrl, place.bucket);
      await claimFor(
        await openTestStore(awsUrl, { bucket: place.bucket, prefix: `${PREFIX}/books` }),
        'monday',
      );
      said.push(...(await beforeDelete(monitor, 'group')));
    });
    expect(said).toEqual([expect.stringMatching(HELD)]);
    expect(ended.exitCode).toBe(0);
  });

  it.for<[string, (journal: string) => PreviousInputs]>([
    ['its group’s tags', (value) => ({ tags: [{ key: 'reindex-fleet:journal', value }] })],
    ['its bucket’s tags', (value) => ({ tags: { 'reindex-fleet:journal': value } })],
    ['what the fleet was given', (value) => ({ journal: value })],
  ])('may not change what a run holds under the fleet’s old name, known from %s', async ([, inputsOf]) => {
    const old = await makeJournal();
    await claimFor(old.store, 'monday');
    const said: string[] = [];
    const ended = await run({ bucket: old.bucket, fleet: 'renamed' }, async (monitor) => {
      said.push(...(await beforeDelete(monitor, 'group', inputsOf(`${old.bucket}/${PREFIX}/books`))));
    });
    expect(said).toEqual([expect.stringMatching(HELD)]);
    expect(ended.exitCode).toBe(0);
  });

  it('lets no run begin under the old name of what it deletes', async () => {
    const old = await makeJournal();
    let holder: unknown = null;
    await run({ bucket: old.bucket, fleet: 'renamed' }, async (monitor) => {
      expect(await beforeDelete(monitor, 'group', { journal: `${old.bucket}/${PREFIX}/books` })).toEqual([]);
      holder = await currentHolder(old.store);
    });
    expect(holder).toMatchObject({ holder: { purpose: 'pulumi up (stack production)' } });
    expect(await currentHolder(old.store)).toBeNull();
  });

  it('is refused in one sentence before it registers anything', async () => {
    const journal = await makeJournal();
    await claimFor(journal.store, 'monday');
    const ended = await run(journal, () => Promise.reject(new Error('it is not refused')));
    expect(ended.exitCode).not.toBe(0);
    const shown = ended.said.map(({ message }) => message);
    expect(shown).toEqual([expect.stringMatching(HELD)]);
    expect(shown[0]).not.toMatch(/^\s+at /m);
  });
});

describe.skipIf(awsUrl === '')('beside a deployment', { timeout: 180_000 }, () => {
  it('a run is refused with the name of the stack, and a sweep ends nothing', async (scope) => {
    const bucket = await createTestBucket(awsUrl);
    const setup = await setUpRun(scope, {
      databaseUrl: database.url(),
      searchUrl: inject('developmentUrl'),
      definition: PLACES,
      environment: awsEnvironment(awsUrl),
      settings: {
        journal: { url: `s3://${bucket}/${PREFIX}`, lease_ms: LEASE_MS },
        aws: { region: REGION },
        auto_scaling: { group: 'books', token_parameter: '/books/token' },
      },
    });
    const deployment = deploy(scope, { bucket, fleet: setup.alias });
    await deployment.said('goes on');

    const [run, sweep] = await Promise.all([setup.run('run'), setup.run('sweep')]);
    expect(errorOf(run, 3)).toMatch(
      new RegExp(
        `another process holds the fleet: pulumi up \\(stack production\\), process ${deployment.child.pid} on `,
      ),
    );
    expect(run.stderr).toContain('waiting for the lock: pulumi up (stack production)');
    expect(resultOf(sweep)).toMatchObject({
      status: 'nothing to sweep',
      process: { purpose: 'pulumi up (stack production)' },
    });
    expect(await setup.indexes()).toEqual([]);

    expect(await deployment.end()).toEqual({ code: 0, words: 'goes on\ndone\n' });
    expect(resultOf(await setup.run('status'))).toMatchObject({ status: 'no run yet', process: null });
  });
});
