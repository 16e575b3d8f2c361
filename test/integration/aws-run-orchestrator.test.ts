import { describe, expect, inject, it } from 'vitest';
import { DONE, type GatedGroupRun, setUpGatedGroupRun } from '../aws/gated-group-run.ts';
import { type GroupRunOptions, requireOrder } from '../aws/group-run.ts';
import { resultOf } from '../support/run-command.ts';
import { documentVersions } from '../support/run-documents.ts';
import { eventually } from '../support/run-eventually.ts';
import type { TestScope } from '../support/run-setup.ts';
import { placesDatabase, ROWS } from '../support/run-table.ts';
import { sampled } from '../support/sampled.ts';

/** Whole runs on an Auto Scaling group, see aws-run.test.ts. Here: what befalls orchestrators. */
const database = placesDatabase();
const setUp = (scope: TestScope, options?: Partial<GroupRunOptions>): Promise<GatedGroupRun> =>
  setUpGatedGroupRun(scope, database.url(), options);

const EACH_ROW_WRITTEN_ONCE = Object.fromEntries(Array.from({ length: ROWS }, (_, i) => [i + 1, 1]));

describe.skipIf(inject('awsUrl') === null)('an orchestrator of an AWS run', { timeout: 240_000 }, () => {
  const SIGNALS: readonly (readonly [NodeJS.Signals, said: string])[] = [
    ['SIGTERM', '2 instances still run and wait for the same command'],
    ['SIGKILL', ''],
  ];
  sampled(SIGNALS, 0)(
    'leaves its workers at work when %s ends it, and the same command resumes',
    async ([signal, said], scope) => {
      const run = await setUp(scope);
      const command = await run.begin();
      const endedMs = performance.now();
      command.child.kill(signal);
      const { stderr } = await command.ended;
      expect(performance.now() - endedMs).toBeLessThan(3_000);
      expect(run.room.running()).toHaveLength(2);
      expect(stderr).toContain(said);
      expect(resultOf(await run.setup.run('status'))).toMatchObject({ instances: 2 });

      await run.gate.open();
      expect(resultOf(await run.setup.run('run', '--run-key', 'monday'))).toMatchObject({
        ...DONE,
        instances: 2,
      });
      await run.requireRight();
      // The very workers went on with the very tasks: nothing was read twice.
      expect(await documentVersions(run.setup.alias)).toEqual(EACH_ROW_WRITTEN_ONCE);
      expect(run.room.machines).toHaveLength(2);
    },
  );

  it('leaves workers, when it never comes back, whose leases bring the fleet to zero', {
    tags: 'long',
  }, async (scope) => {
    const run = await setUp(scope, { workerLeaseMs: 4_000 });
    const command = await run.begin();
    command.child.kill('SIGKILL');
    await command.ended;
    await requireOrder(run);
    const decrements = run.proxy
      .callsOf('TerminateInstanceInAutoScalingGroup')
      .filter(({ parameters }) => parameters['ShouldDecrementDesiredCapacity'] === 'true');
    expect(decrements).toHaveLength(2);

    // The claim is still there, and so is what was settled.
    await run.gate.open();
    expect(resultOf(await run.setup.run('run', '--run-key', 'monday'))).toMatchObject(DONE);
    await run.requireRight();
  });

  it('has its fleet swept after the grace when it is dead, and its run can still be resumed', {
    tags: 'long',
  }, async (scope) => {
    const run = await setUp(scope, {
      workerLeaseMs: 600_000,
      settings: { auto_scaling: { sweep_grace_ms: 15_000 } },
    });
    const command = await run.begin();
    const beside = resultOf(await run.setup.run('sweep'));
    expect(beside).toMatchObject({ ended: [] });
    expect(run.room.running()).toHaveLength(2);
    command.child.kill('SIGKILL');
    await command.ended;
    const early = resultOf(await run.setup.run('sweep'));
    expect(early).toMatchObject({ ended: [], held_by: 'monday' });
    expect(early['found']).toMatchObject([{ run: expect.any(String) }, { run: expect.any(String) }]);
    expect(run.room.running()).toHaveLength(2);

    await pastGrace(run, 15_000);
    const late = resultOf(await run.setup.run('sweep'));
    expect(late['ended']).toHaveLength(2);
    await requireOrder(run);

    await run.gate.open();
    expect(resultOf(await run.setup.run('run', '--run-key', 'monday'))).toMatchObject(DONE);
    await run.requireRight();
  });

  it('abandons a run with the fleet at zero before the index is deleted', { tags: 'long' }, async (scope) => {
    const run = await setUp(scope, { workerLeaseMs: 600_000 });
    const command = await run.begin();
    command.child.kill('SIGKILL');
    await command.ended;
    expect(resultOf(await run.setup.run('abandon'))).toMatchObject({ status: 'abandoned' });
    await requireOrder(run);
    expect(await run.setup.indexes()).toEqual([]);
  });
});

/** Waits until the run's last word, its lock's last renewal among them, is so long ago. */
async function pastGrace(run: GatedGroupRun, graceMs: number): Promise<void> {
  const beganMs = performance.now();
  await eventually('the grace is over', () => performance.now() - beganMs > graceMs, graceMs + 10_000);
  expect(run.room.running()).toHaveLength(2);
}
