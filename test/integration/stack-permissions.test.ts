import { beforeAll, describe, expect, inject, it } from 'vitest';
import { CALLED_BY_AWS } from '../../infra/access/called-by-aws.ts';
import { bundleSweeper } from '../../infra/sweeper/bundle.ts';
import { writeClaim } from '../../orchestrator/journal/claims.ts';
import { endInstance } from '../aws/cloud-control.ts';
import { DONE } from '../aws/gated-group-run.ts';
import { type GroupRunOptions, requireOrder } from '../aws/group-run.ts';
import { groupIdsOf, groupOf } from '../aws/group.ts';
import { openTestStore } from '../aws/test-bucket.ts';
import { type EnforcedRun, setUpEnforcedRun } from '../infra/enforced-run.ts';
import { type Grant, grantsOf, unusedGrants } from '../infra/grants.ts';
import { errorOf, resultOf } from '../support/run-command.ts';
import { eventually } from '../support/run-eventually.ts';
import type { TestScope } from '../support/run-setup.ts';
import { placesDatabase } from '../support/run-table.ts';
import { claimedAliases } from '../support/run-values.ts';

/**
 * Whole runs whose every call is allowed as the fleet's policies allow it, and is answered as AWS answers where they do not.
 * What they must not allow: infra-forbidden-calls.test.ts.
 */
const database = placesDatabase();
let sweeperCode = '';
beforeAll(async () => {
  sweeperCode = await bundleSweeper();
});
const setUp = (scope: TestScope, options: Partial<GroupRunOptions> = {}): Promise<EnforcedRun> =>
  setUpEnforcedRun(scope, database.url(), { sweeperCode, ...options });

/** What no scenario so far has used. */
let unused: ReadonlyMap<string, Grant> | null = null;

function requireAllowed(run: EnforcedRun): void {
  const left = unusedGrants(grantsOf(run.access), run.requireAllowed()).map(
    (grant) => [outline(grant, run), grant] as const,
  );
  unused = new Map(left.filter(([line]) => unused === null || unused.has(line)));
}

describe.skipIf(inject('awsUrl') === null)('the IAM policies of a fleet', { timeout: 300_000 }, () => {
  it('suffice to plan, run, look, roll back and sweep', async (scope) => {
    const run = await setUp(scope);
    await leaveOldRun(run);
    resultOf(await run.setup.run('plan'));
    expect(resultOf(await run.setup.run('run', '--run-key', 'monday'))).toMatchObject(DONE);
    expect(resultOf(await run.setup.run('run', '--run-key', 'tuesday'))).toMatchObject(DONE);
    resultOf(await run.setup.run('status'));
    resultOf(await run.setup.run('rollback'));
    expect(await run.sweep()).toMatchObject({ status: 'swept', found: [], ended: [] });
    await requireOrder(run);
    requireAllowed(run);
  });

  it('suffice to replace an instance that never becomes ready, and one that Spot takes back', async (scope) => {
    const run = await setUp(scope, {
      settings: { instances: { spot: {} }, auto_scaling: { ready_timeout_ms: 12_000 } },
      behaviour: (nth) => ({ neverBoots: nth === 0 }),
    });
    await run.gate.shut();
    const command = run.setup.start('run');
    await run.rangesDone(4);
    await eventually('another is in its place', () => run.room.running().length === 2, 120_000);
    const [victim] = run.room.running();
    victim?.metadata.interrupt({ action: 'terminate', time: new Date(Date.now() + 30_000) });
    await eventually('the worker drains', () =>
      victim?.log.some(({ msg }) => msg?.includes('drain') === true),
    );
    await endInstance(run.world.awsUrl, victim?.instanceId ?? '', 'spot');
    await eventually('another is in its place, too', () => run.room.machines.length === 3);
    await run.gate.open();
    expect(resultOf(await command.ended)).toMatchObject(DONE);
    await run.requireRight();
    requireAllowed(run);
  });

  it('suffice to sweep instances that nobody else ends, and to abandon their run', async (scope) => {
    const run = await setUp(scope, {
      workerLeaseMs: 4_000,
      settings: { auto_scaling: { sweep_grace_ms: 5_000 } },
      behaviour: () => ({ neverBoots: true }),
    });
    const command = run.setup.start('run', '--run-key', 'monday');
    await eventually('there are two', async () => (await groupIdsOf(run.world)).length === 2);
    command.child.kill('SIGKILL');
    await command.ended;
    const swept = await eventually(
      'the fleet is swept',
      async () => {
        const { ended } = await run.sweep();
        return ended.length > 0 && ended;
      },
      90_000,
    );
    expect(swept).toHaveLength(2);
    await requireOrder(run);
    expect(resultOf(await run.setup.run('abandon'))).toMatchObject({ status: 'abandoned' });
    requireAllowed(run);
  });

  it('suffice for workers without an orchestrator to end themselves', async (scope) => {
    const run = await setUp(scope, { workerLeaseMs: 4_000 });
    const command = await run.begin();
    command.child.kill('SIGKILL');
    await command.ended;
    await requireOrder(run);
    expect(run.room.shutDowns).toEqual([]);
    requireAllowed(run);
  });

  it('allow nothing that these runs did not use, except what AWS itself calls', () => {
    const left = [...(unused ?? [])].map(([line, { action }]) => [line, action] as const);
    expect(left.filter(([, action]) => CALLED_BY_AWS[action] === undefined)).toEqual([]);
    // What is said to be AWS's is allowed, and was used by none of ours.
    expect(new Set(left.map(([, action]) => action))).toEqual(new Set(Object.keys(CALLED_BY_AWS)));
  });
});

describe.skipIf(inject('awsUrl') === null)('a process without a permission that it needs', () => {
  it('names the missing permission, and changes nothing', { timeout: 120_000 }, async (scope) => {
    const run = await setUp(scope);
    const { identities, bucket } = run.access;
    run.enforce({ identities: { ...identities, orchestrator: identities.sweeper }, bucket });
    const error = errorOf(await run.setup.run('run'), 1);
    for (const line of error.split('\n'))
      expect(line).toMatch(
        /\(the permission ssm:GetParameter is missing: allow it for the parameter .*\/worker\//,
      );
    expect(await groupOf(run.world)).toMatchObject({ DesiredCapacity: 0, Instances: [] });
  });
});

/** A line that is the same for the grants of every fleet. */
function outline({ who, action, resource }: Grant, { world, setup }: EnforcedRun): string {
  return `${who} ${action} ${resource}`.replaceAll(world.group, '<group>').replaceAll(setup.alias, '<fleet>');
}

/** The claim of a run that was over long ago, for a sweep to delete. */
async function leaveOldRun({ world, setup }: EnforcedRun): Promise<void> {
  const store = await openTestStore(world.awsUrl, {
    bucket: world.bucket,
    prefix: `reindex-fleet/${setup.alias}`,
  });
  const claim = { held: false, runKey: 'old', run: 'old', aliases: claimedAliases('old') };
  const at = new Date(Date.now() - 100 * 86_400_000).toISOString();
  expect(await writeClaim(store, { ...claim, at, ended: 'finished' })).toBe(true);
}
