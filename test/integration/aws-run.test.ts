import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { limitCapacity } from '../aws/cloud-control.ts';
import { DONE, type GatedGroupRun, loseOneInMidRange, setUpGatedGroupRun } from '../aws/gated-group-run.ts';
import { type GroupRunOptions, requireOrder } from '../aws/group-run.ts';
import type { MachineBehaviour } from '../aws/machine-room.ts';
import { errorOf, resultOf } from '../support/run-command.ts';
import { eventually } from '../support/run-eventually.ts';
import { stateOf } from '../support/run-journal.ts';
import type { TestScope } from '../support/run-setup.ts';
import { PLACES, placesDatabase } from '../support/run-table.ts';
import { onlyTarget } from '../support/run-values.ts';

/**
 * Whole runs on an Auto Scaling group: an AWS API, a real worker process on each instance's own address, PostgreSQL, the
 * search node, the journal in a bucket. Here: what befalls instances.
 */
const database = placesDatabase();
const setUp = (scope: TestScope, options?: Partial<GroupRunOptions>): Promise<GatedGroupRun> =>
  setUpGatedGroupRun(scope, database.url(), options);

/** Ready for a run that waits, and no longer. */
const SOON = { ready_timeout_ms: 12_000 };

describe.skipIf(inject('awsUrl') === null)('a run on an Auto Scaling group', { timeout: 240_000 }, () => {
  it('launches its instances, works and ends at zero, and so does the next run', {
    tags: 'long',
  }, async (scope) => {
    const run = await setUp(scope);
    const first = resultOf(await run.setup.run('run', '--run-key', 'monday'));
    expect(first).toMatchObject({ ...DONE, instances: 2 });
    await run.requireRight();
    expect(run.room.machines).toHaveLength(2);

    const second = resultOf(await run.setup.run('run', '--run-key', 'tuesday'));
    // Those of the first run are still shown, and are not its own.
    expect(second).toMatchObject({
      ...DONE,
      targets: [{ ...DONE.targets[0], previous_indexes: [onlyTarget(first)['index']] }],
      instances: 2,
    });
    await run.requireRight();
  });

  it('may have its journal in a local folder', { tags: 'long' }, async (scope) => {
    const run = await setUp(scope, { settings: { journal: { url: 'journal' } } });
    expect(resultOf(await run.setup.run('run'))).toMatchObject({ ...DONE, instances: 2 });
    await run.requireRight();
    expect((await stateOf(run.setup))?.result).toMatchObject(DONE);
    expect(await run.state()).toBeNull();
  });

  it('replaces an instance that is lost in the middle of a range', { tags: 'long' }, async (scope) => {
    const run = await setUp(scope);
    const ended = await loseOneInMidRange(run);
    expect(resultOf(ended)).toMatchObject({ ...DONE, instances: 3 });
    await run.requireRight();
  });

  it('replaces an instance that never becomes ready, and one that boots with another build', {
    tags: 'long',
  }, async (scope) => {
    const odd: { file: string } = { file: '' };
    const behaviours: MachineBehaviour[] = [
      { neverBoots: true },
      {
        get definitions() {
          return odd.file;
        },
      },
    ];
    const run = await setUp(scope, {
      settings: { auto_scaling: SOON },
      behaviour: (nth) => behaviours[nth] ?? {},
    });
    odd.file = join(run.setup.folder, 'odd', 'places.yaml');
    await writeOddDefinition(odd.file, run.setup.alias);
    // So that neither is let go for want of work.
    await run.gate.shut();
    const command = run.setup.start('run');
    await eventually(
      'two others are in their places',
      () => run.room.running().length === 2 && run.room.machines.length >= 3,
      120_000,
    );
    await run.gate.open();
    expect(resultOf(await command.ended)).toMatchObject(DONE);
    await run.requireRight();
    const reasons = Object.values((await run.state())?.terminations ?? {}).map(({ reason }) => reason);
    expect(reasons).toContainEqual(
      expect.stringMatching(
        /^no worker has answered at its address for \d+ s \(GET http.*\): look at its log/,
      ),
    );
    expect(reasons).toContainEqual(
      expect.stringMatching(/^it runs build [\w.]+, but this run is pinned to [\w.]+$/),
    );
  });

  it('goes on with half of its instances, and says in the cloud’s words why no more came', {
    tags: 'long',
  }, async (scope) => {
    const run = await setUp(scope, {
      settings: { workers: { count: 4, minimum: 2 }, auto_scaling: { capacity_timeout_ms: 3_000 } },
    });
    await limitCapacity(run.world.awsUrl, run.world.group, 2);
    await run.gate.shut();
    const command = run.setup.start('run');
    await command.said('2 of 4 instances came within 3 s');
    await run.gate.open();
    const ended = await command.ended;
    expect(resultOf(ended)).toMatchObject({ ...DONE, instances: 2 });
    expect(ended.stderr).toMatch(/InsufficientInstanceCapacity|do not have sufficient/);
    await run.requireRight();
  });

  it('ends at zero with the cloud’s reason when too few instances come, and can be resumed when there are more', {
    tags: 'long',
  }, async (scope) => {
    const run = await setUp(scope, {
      settings: { workers: { count: 4, minimum: 3 }, auto_scaling: { capacity_timeout_ms: 3_000 } },
    });
    await limitCapacity(run.world.awsUrl, run.world.group, 2, 'VcpuLimitExceeded');
    await run.gate.shut();
    const ended = await run.setup.run('run', '--run-key', 'monday');
    expect(errorOf(ended, 1)).toMatch(
      /2 of 4 instances came within 3 s: .*vCPU.*; workers\.minimum asks for 3/s,
    );
    await requireOrder(run);

    await limitCapacity(run.world.awsUrl, run.world.group, null);
    await run.gate.open();
    expect(resultOf(await run.setup.run('run', '--run-key', 'monday'))).toMatchObject(DONE);
    await run.requireRight();
  });
});

/** The same index by another definition: its worker is another build. */
async function writeOddDefinition(file: string, alias: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify({ alias, ...PLACES, index: { number_of_replicas: 0 } }));
}
