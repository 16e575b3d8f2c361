import { describe, expect, it } from 'vitest';
import { openFileStore } from '../../orchestrator/journal/file-store.ts';
import { currentClaim } from '../../orchestrator/journal/claims.ts';
import {
  aliasOf,
  type EarlierJournal,
  earlierJournal,
  type JournalObject,
  writeTo,
} from '../support/earlier-journals.ts';
import { errorOf, resultOf } from '../support/run-command.ts';
import { sql } from '../support/run-documents.ts';
import { type RunSetup, SEARCH_URL, setUpRun, type TestScope } from '../support/run-setup.ts';
import { placesDatabase } from '../support/run-table.ts';
import { call } from '../support/search-calls.ts';

/** Commands on journals that an earlier version wrote. */

const database = placesDatabase();
const KEY = ['--run-key', 'monday'];

/** The definition of the earlier runs, with a journal of theirs in its place. */
async function setUp(
  scope: TestScope,
  name: EarlierJournal,
  keep: (object: JournalObject) => boolean = () => true,
): Promise<RunSetup & { readonly earlierAlias: string }> {
  const objects = (await earlierJournal(name)).filter(keep);
  const earlierAlias = aliasOf(objects);
  const setup = await setUpRun(scope, {
    databaseUrl: database.url(),
    definition: {
      alias: earlierAlias,
      source: { table: 'few', key: 'id' },
      document: { name: 'few.name' },
    },
  });
  await writeTo(setup.journal, objects);
  return { ...setup, earlierAlias };
}

describe.concurrent('a command on a journal of an earlier version', { timeout: 60_000 }, () => {
  it('of the name status tells how its runs stand', async (scope) => {
    const finished = resultOf(await (await setUp(scope, 'finished')).run('status'));
    expect(finished).toMatchObject({
      status: 'finished',
      run_key: 'monday',
      result: { rows: 600, targets: [{ indexed: 600, dead_letters: 0 }] },
    });
    const interrupted = resultOf(await (await setUp(scope, 'interrupted')).run('status'));
    expect(interrupted).toMatchObject({
      status: 'unfinished; the same command carries it on',
      held_by: 'monday',
      phase: 'reindex',
    });
  });

  it('of the name abandon ends an unfinished run and frees the fleet', async (scope) => {
    const setup = await setUp(scope, 'interrupted');
    const { earlierAlias } = setup;
    expect(resultOf(await setup.run('abandon'))).toMatchObject({
      status: 'abandoned',
      run_key: 'monday',
      deleted: [expect.stringContaining(earlierAlias)],
    });
    const store = openFileStore(setup.journal);
    expect(await currentClaim(store)).toMatchObject({ schema: 3, held: false, ended: 'abandoned' });
    expect(resultOf(await setup.run('status'))).toMatchObject({ status: 'abandoned' });
  });

  it('of the name sweep finds an unfinished run and leaves it unchanged', async (scope) => {
    const setup = await setUp(scope, 'interrupted');
    expect((await setup.run('sweep')).code).toBe(0);
    expect(resultOf(await setup.run('status'))).toMatchObject({ held_by: 'monday' });
  });

  it('of the name run refuses to resume a run that another build began', async (scope) => {
    const setup = await setUp(scope, 'interrupted');
    await sql(database.url(), 'CREATE TABLE IF NOT EXISTS few (id int PRIMARY KEY, name text)');
    const store = openFileStore(setup.journal);
    const before = await store.list('claims');
    expect(errorOf(await setup.run('run', ...KEY), 1)).toMatch(
      /run monday (reads .*another table|was begun by build)|run with key monday began with another definition/,
    );
    expect(await store.list('claims')).toEqual(before);
  });
});

it('rollback inverts the promotion in a journal of an earlier version', {
  timeout: 60_000,
}, async (scope) => {
  // All but the last word of the second run: it was not rolled back yet.
  const setup = await setUp(
    scope,
    'rolled-back',
    ({ body }) => !JSON.stringify(body['events'] ?? '').includes('"rolled_back"'),
  );
  const { earlierAlias } = setup;
  const [first, second] = (await earlierJournal('rolled-back'))
    .flatMap(
      ({ body }) => (body['events'] ?? []) as { type: string; record?: { added: { index: string } } }[],
    )
    .flatMap(({ type, record }) => (type === 'promoted' && record !== undefined ? [record.added.index] : []));
  scope.onTestFinished(async () => {
    for (const index of [first, second]) await call(SEARCH_URL, 'DELETE', `/${index}`);
  });
  await call(SEARCH_URL, 'PUT', `/${first}`, {});
  await call(SEARCH_URL, 'PUT', `/${second}`, { aliases: { [earlierAlias]: {} } });

  expect(resultOf(await setup.run('rollback'))).toMatchObject({
    status: 'rolled back',
    run_key: 'tuesday',
    targets: [{ alias: earlierAlias, left: second, restored: [first] }],
  });

  const { body } = await call(SEARCH_URL, 'GET', `/_alias/${earlierAlias}`);
  expect(Object.keys(body)).toEqual([first]);
  expect(resultOf(await setup.run('status', '--run-key', 'tuesday'))).toMatchObject({
    status: 'rolled back',
  });
});
