import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import type { JournalFault } from '../support/journal-faults.ts';
import { type EndedCommand, errorOf, resultOf } from '../support/run-command.ts';
import type { Gate } from '../support/run-gate.ts';
import { eventually } from '../support/run-eventually.ts';
import { rangesDone, stateOf } from '../support/run-journal.ts';
import { type RunSetup, setUpRun, type TestScope } from '../support/run-setup.ts';
import { gatedPlaces, placesDatabase, ROWS } from '../support/run-table.ts';
import { onlyTarget } from '../support/run-values.ts';
import { sampled } from '../support/sampled.ts';

/** A journal that cannot be written or read: nothing is done that it does not know of, and the run says what to mend. */

const database = placesDatabase();
const KEY = ['--run-key', 'k'] as const;
const DONE = { status: 'done', targets: [{ indexed: ROWS }] };
const ADVICE = {
  ENOSPC: 'no space left on device.* \\(free space there',
  EIO: 'i/o error.* \\(check its disk',
  EROFS: 'read-only file system.* \\(mount it writable',
  EACCES: 'permission denied.* \\(let this user read and write there',
} as const;
type Code = keyof typeof ADVICE;

async function setUp(scope: TestScope, leaseMs = 60_000): Promise<{ setup: RunSetup; gate: Gate }> {
  const { gate, definition } = await gatedPlaces(scope, database.url());
  const setup = await setUpRun(scope, {
    databaseUrl: database.url(),
    searchUrl: inject('developmentUrl'),
    journalFaults: true,
    definition,
    settings: { workers: { count: 1 }, ranges: { count: 4 }, journal: { lease_ms: leaseMs } },
  });
  return { setup, gate };
}

/** Ended with exit 1 and a sentence that names the path, the cause and what to do; no worker is left. */
async function expectFailed(setup: RunSetup, ended: EndedCommand, code: Code): Promise<void> {
  expect(errorOf(ended, 1)).toMatch(
    new RegExp(
      `^the journal cannot be written: ${setup.journal}/\\S+: ${code}: ${ADVICE[code]}.*, then give the same command again\\)$`,
    ),
  );
  expect(await setup.workers()).toEqual([]);
}

async function expectCarriedOn(setup: RunSetup): Promise<void> {
  await setup.failJournal(null);
  const result = resultOf(await setup.run('run', ...KEY));
  expect(result).toMatchObject(DONE);
  expect(await setup.served()).toEqual([onlyTarget(result)['index']]);
  expect(await setup.indexes()).toEqual([
    onlyTarget(result)['index'],
    `${String(onlyTarget(result)['index'])}-dead-letters`,
  ]);
}

describe('a failing disk below the journal', { timeout: 240_000 }, () => {
  // The first objects are the lock, the claim, and the first segments; drafts are opened, and folders to be synced.
  const FAULTS: readonly (readonly [Code, JournalFault['call'], number, JournalFault['when']])[] = [
    ['ENOSPC', 'write', 1, 'before'],
    ['EROFS', 'open', 1, 'before'],
    ['EACCES', 'link', 1, 'before'],
    ['EIO', 'sync', 1, 'before'],
    ['ENOSPC', 'link', 2, 'before'],
    ['EIO', 'sync', 6, 'after'],
    ['EACCES', 'open', 7, 'before'],
    ['EIO', 'write', 4, 'before'],
    ['EROFS', 'link', 5, 'before'],
    ['ENOSPC', 'write', 8, 'before'],
    ['ENOSPC', 'open', 16, 'before'],
  ];

  sampled(FAULTS, 1)('ends the run: %s at %s %i from then on', async ([what, call, nth, when], scope) => {
    const { setup } = await setUp(scope);
    await setup.failJournal({ call, nth, when, what, times: null });
    await expectFailed(setup, await setup.run('run', ...KEY), what);
    expect(await setup.served()).toEqual([]);
    await expectCarriedOn(setup);
  });

  sampled(FAULTS.slice(0, 5), 1)('does no harm once: %s at %s %i', async ([what, call, nth, when], scope) => {
    const { setup } = await setUp(scope);
    await setup.failJournal({ call, nth: nth + 3, when, what });
    expect(resultOf(await setup.run('run', ...KEY))).toMatchObject(DONE);
  });

  it('that writes but always reports a failure does no harm', { tags: 'long' }, async (scope) => {
    const { setup } = await setUp(scope);
    await setup.failJournal({ call: 'link', nth: 1, when: 'after', what: 'EIO', times: null });
    expect(resultOf(await setup.run('run', ...KEY))).toMatchObject(DONE);
  });

  it('ends a run in the middle of its work, together with its workers', async (scope) => {
    const { setup, gate } = await setUp(scope);
    await gate.shut();
    const run = setup.start('run', ...KEY);
    await rangesDone(setup, 2);
    await setup.failJournal({ call: 'write', nth: 1, when: 'before', what: 'ENOSPC', times: null });
    await gate.open();

    await expectFailed(setup, await run.ended, 'ENOSPC');
    expect(await setup.served()).toEqual([]);
    await expectCarriedOn(setup);
  });

  it('prevents a promotion that could not be recorded before', { tags: 'long' }, async (scope) => {
    const { setup } = await setUp(scope);
    for (const phase of ['claim', 'create-index', 'reindex', 'finalize'])
      resultOf(await setup.run(phase, ...KEY));
    // Lock, begin, end.
    await setup.failJournal({ call: 'link', nth: 3, when: 'before', what: 'EIO', times: null });
    await expectFailed(setup, await setup.run('run', ...KEY), 'EIO');
    expect(await setup.served()).toEqual([]);
    await setup.failJournal(null);
    resultOf(await setup.run('validate', ...KEY));
    // Lock, begin, what is intended.
    await setup.failJournal({ call: 'link', nth: 3, when: 'before', what: 'EROFS', times: null });
    await expectFailed(setup, await setup.run('promote', ...KEY), 'EROFS');
    expect(await setup.served()).toEqual([]);

    // Moved, but not recorded: the next command finds it.
    await setup.failJournal({ call: 'link', nth: 4, when: 'before', what: 'ENOSPC', times: null });
    await expectFailed(setup, await setup.run('promote', ...KEY), 'ENOSPC');
    expect((await stateOf(setup))?.promotions.size).toBe(0);
    await expectCarriedOn(setup);
    expect([...((await stateOf(setup))?.promotions.values() ?? [])]).toMatchObject([{ removed: [] }]);
  });
});

describe('a lock that cannot be renewed', { timeout: 120_000 }, () => {
  it('for less than a lease changes nothing', { tags: 'long' }, async (scope) => {
    const { setup, gate } = await setUp(scope, 9_000);
    await gate.shut();
    const run = setup.start('run', ...KEY);
    await rangesDone(setup, 2);
    await setup.failJournal({ call: 'rename', nth: 1, when: 'before', what: 'ENOSPC', times: 2 });
    const beat = await beatOf(setup);
    await eventually('the lock is renewed again', async () => (await beatOf(setup)) > beat);
    await gate.open();
    expect(resultOf(await run.ended)).toMatchObject(DONE);
  });

  it('for longer than a lease ends the run with exit code 3', async (scope) => {
    const { setup, gate } = await setUp(scope, 2_000);
    await gate.shut();
    const run = setup.start('run', ...KEY);
    await rangesDone(setup, 2);
    await setup.failJournal({ call: 'rename', nth: 1, when: 'before', what: 'ENOSPC', times: null });
    expect(errorOf(await run.ended, 3)).toMatch(
      /could not be renewed for a whole lease: .*ENOSPC: .*free space/,
    );
    expect(await setup.workers()).toEqual([]);
    await gate.open();
    await expectCarriedOn(setup);
  });

  it('or released leaves the result of the run unchanged', { tags: 'long' }, async (scope) => {
    const { setup } = await setUp(scope);
    await setup.failJournal({ call: 'rename', nth: 1, when: 'before', what: 'EIO', times: null });
    const ended = await setup.run('run', ...KEY);
    expect(resultOf(ended)).toMatchObject(DONE);
    expect(ended.stderr).toContain('the lock could not be released');
  });
});

async function beatOf({ journal }: RunSetup): Promise<number> {
  const record = JSON.parse(await readFile(join(journal, 'locks', '000000000001.json'), 'utf8'));
  return (record as { beat: number }).beat;
}

describe('a journal folder', { timeout: 120_000 }, () => {
  it('that is a file is named in the failure', async (scope) => {
    const { setup } = await setUp(scope);
    const file = join(setup.folder, 'file');
    await writeFile(file, '');
    for (const command of ['run', 'status', 'abandon'])
      expect(errorOf(await setup.run(command, '--journal', file), 1)).toMatch(
        new RegExp(`the journal cannot be read: ${file}/\\S+: ENOTDIR.*correct journal.url`),
      );
    expect(await setup.indexes()).toEqual([]);
  });

  it('that vanishes ends the run, is not created again, and can be put back', async (scope) => {
    const { setup, gate } = await setUp(scope);
    await gate.shut();
    const run = setup.start('run', ...KEY);
    await rangesDone(setup, 2);
    await rename(setup.journal, `${setup.journal}-away`);
    await gate.open();

    expect(errorOf(await run.ended, 1)).toMatch(
      new RegExp(`the journal cannot be written: ${setup.journal}/\\S+: ENOENT.*put it back as it was`),
    );
    expect(existsSync(setup.journal)).toBe(false);
    expect(await setup.workers()).toEqual([]);
    expect(await setup.served()).toEqual([]);
    await rename(`${setup.journal}-away`, setup.journal);
    await expectCarriedOn(setup);
  });
});

describe('a foreign object in a journal', { timeout: 240_000, tags: 'long' }, () => {
  it('is named in the failure and left alone', async (scope) => {
    const { setup } = await setUp(scope);
    for (const phase of ['claim', 'create-index']) resultOf(await setup.run(phase, ...KEY));
    const objects = (await readdir(setup.journal, { recursive: true })).filter((name) =>
      name.endsWith('.json'),
    );
    const newest = (folder: string): string =>
      objects
        .filter((name) => name.startsWith(folder))
        .sort()
        .at(-1) ?? '';
    const [segment, lock, claim] = [newest('runs'), newest('locks'), newest('claims')];
    const whole = await readFile(join(setup.journal, segment), 'utf8');
    const broken: readonly (readonly [string, string])[] = [
      [segment, ''],
      [segment, whole.slice(0, whole.length / 2)],
      [segment, whole.replace(/"schema":\d+/, '"schema":99')],
      [lock, 'garbage'],
      [claim, '{}'],
    ];
    const indexes = await setup.indexes();
    for (const [name, body] of broken) {
      const path = join(setup.journal, name);
      const before = await readFile(path, 'utf8');
      await writeFile(path, body);
      for (const command of ['run', 'status', 'abandon']) {
        const error = errorOf(await setup.run(command, ...KEY), 1);
        expect(error).toContain(name);
        expect(error).toContain(setup.journal);
      }
      expect(await readFile(path, 'utf8')).toBe(body);
      await writeFile(path, before);
    }
    // One that is missing in the middle is not passed over either.
    const first = join(setup.journal, segment.replace(/\d{12}/, '000000000001'));
    await rename(first, `${setup.folder}/away`);
    expect(errorOf(await setup.run('run', ...KEY), 1)).toContain('000000000001.json');
    await rename(`${setup.folder}/away`, first);

    const now = (await readdir(setup.journal, { recursive: true })).filter((name) => name.endsWith('.json'));
    expect(now.filter((name) => !name.startsWith('locks')).sort()).toEqual(
      objects.filter((name) => !name.startsWith('locks')).sort(),
    );
    expect(await setup.indexes()).toEqual(indexes);
    // What a process that died as it wrote leaves behind does no harm.
    await writeFile(join(setup.journal, segment, '..', '.draft-left'), whole.slice(0, 20));
    await expectCarriedOn(setup);
    await rm(join(setup.journal, segment, '..', '.draft-left'));
  });
});
