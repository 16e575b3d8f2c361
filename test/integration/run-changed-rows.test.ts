import { isDeepStrictEqual } from 'node:util';
import { Client } from 'pg';
import { expect, it } from 'vitest';
import { errorOf, resultOf } from '../support/run-command.ts';
import { documentsInTable, documentsOf, sql } from '../support/run-documents.ts';
import { stateOf } from '../support/run-journal.ts';
import { type RunSetup, setUpRun, type TestScope } from '../support/run-setup.ts';
import { placesDatabase } from '../support/run-table.ts';
import { onlyTarget } from '../support/run-values.ts';
import { uniqueName } from '../support/search-calls.ts';

/** What changes in the table between the reading and the promotion, in whole runs phase by phase. */

const ROWS = 2_000;
const database = placesDatabase();
const TIMEOUT = { timeout: 120_000 };

interface Changing {
  readonly table: string;
  readonly setup: RunSetup;
  /** The documents that the index must have. */
  readonly held: (where?: string) => ReturnType<typeof documentsInTable>;
  /** Does some phases one by one, or `run`, and gives the last result. */
  readonly phases: (...names: string[]) => Promise<Readonly<Record<string, unknown>>>;
}

interface TableOptions {
  readonly type?: string;
  readonly source?: Readonly<Record<string, unknown>>;
  readonly validate?: Readonly<Record<string, unknown>>;
}

/** A table of this test's own, whose rows say when they changed, and a run of it. */
async function changingTable(scope: TestScope, options: TableOptions = {}): Promise<Changing> {
  const { type = 'timestamptz', source = { changed_at: 'place.updated_at' }, validate = {} } = options;
  const table = uniqueName('changing').replace('-', '_');
  await sql(
    database.url(),
    `CREATE TABLE ${table} (id int PRIMARY KEY, name text, shown boolean DEFAULT true, updated_at ${type} DEFAULT now());
     INSERT INTO ${table} SELECT n, 'place ' || n FROM generate_series(1, ${ROWS}) n; ANALYZE ${table}`,
  );
  const setup = await setUpRun(scope, {
    databaseUrl: database.url(),
    definition: {
      source: { table, as: 'place', key: 'id', ...source },
      document: { name: 'place.name' },
    },
    settings: { ranges: { count: 4 }, validate },
  });
  return {
    table,
    setup,
    held: (where = 'true') =>
      documentsInTable(
        database.url(),
        `SELECT id::text, json_build_object('id', id, 'name', name)::text AS document FROM ${table} WHERE ${where}`,
      ),
    phases: async (...names) => {
      let result: Readonly<Record<string, unknown>> = {};
      for (const name of names) result = resultOf(await setup.run(name, '--run-key', 'k'));
      return result;
    },
  };
}

const READ = ['claim', 'create-index', 'reindex'] as const;
const REST = ['run'] as const;

const changeFifty = (table: string): string =>
  `UPDATE ${table} SET name = 'NEW', updated_at = clock_timestamp() WHERE id % 40 = 7`;

it(
  'rows that changed after they were read are read again before the alias moves, and the result says how many',
  TIMEOUT,
  async (scope) => {
    const { table, setup, held, phases } = await changingTable(scope);
    await phases(...READ);
    await sql(database.url(), changeFifty(table));

    const result = await phases(...REST);

    expect(await documentsOf(setup.alias)).toEqual(await held());
    expect(result).toMatchObject({
      rows: ROWS,
      targets: [
        {
          indexed: ROWS,
          filtered: 0,
          dead_letters: 0,
          read_again: { ranges: 4, passes: 1 },
          stale: { rows: 0 },
          validated: { rows: ROWS, documents: ROWS },
        },
      ],
    });
    // By the versions, exactly the rows that changed; the pass may read some more near its cutoff.
    expect((await stateOf(setup))?.pass?.reads).toMatchObject({ kind: 'changed-since', rows: 50 });
  },
);

it(
  'a row that left where, one that came to it, a new row and a deleted row are in the promoted index as in the table',
  TIMEOUT,
  async (scope) => {
    const { table, setup, held, phases } = await changingTable(scope, {
      source: { changed_at: 'place.updated_at', where: 'place.shown' },
    });
    await sql(database.url(), `UPDATE ${table} SET shown = false WHERE id <= 10`);
    await phases(...READ);
    await sql(
      database.url(),
      `UPDATE ${table} SET shown = NOT shown, updated_at = clock_timestamp() WHERE id <= 20;
     DELETE FROM ${table} WHERE id = 1500;
     INSERT INTO ${table} (id, name, updated_at) VALUES (9000, 'came', clock_timestamp())`,
    );

    const result = await phases(...REST);

    expect(await documentsOf(setup.alias)).toEqual(await held('shown'));
    expect(result).toMatchObject({
      rows: ROWS,
      targets: [{ indexed: ROWS - 10, filtered: 10, stale: { rows: 0 } }],
    });
  },
);

it.for([
  ['in whole seconds', 'timestamptz(0)', 'place.updated_at', 'clock_timestamp()'],
  ['without zone', 'timestamp', 'place.updated_at', `clock_timestamp() AT TIME ZONE 'Asia/Tokyo'`],
] as const)(
  'rows are read again when changed_at is kept %s',
  { ...TIMEOUT, tags: 'long' },
  async ([, type, changedAt, now], scope) => {
    const zone = type === 'timestamp' ? { time_zone: 'Asia/Tokyo' } : {};
    const { table, setup, held, phases } = await changingTable(scope, {
      type,
      source: { changed_at: changedAt, ...zone },
    });
    await sql(database.url(), `UPDATE ${table} SET updated_at = ${now}`);
    await phases(...READ);
    await sql(database.url(), `UPDATE ${table} SET name = 'NEW', updated_at = ${now} WHERE id % 40 = 7`);

    await phases(...REST);

    expect(await documentsOf(setup.alias)).toEqual(await held());
  },
);

it(
  'a change of a transaction that was open when the run began is found, though its changed_at is older than the run',
  TIMEOUT,
  async (scope) => {
    const { table, setup, held, phases } = await changingTable(scope);
    const writer = new Client({ connectionString: database.url() });
    await writer.connect();
    scope.onTestFinished(() => writer.end());
    await writer.query(`BEGIN; UPDATE ${table} SET name = 'LATE', updated_at = now() WHERE id % 100 = 3`);
    await phases(...READ);
    await writer.query('COMMIT');

    await phases(...REST);

    expect(await documentsOf(setup.alias)).toEqual(await held());
  },
);

it('what changes while the index is proven is counted when the alias moves', TIMEOUT, async (scope) => {
  const { table, setup, held, phases } = await changingTable(scope, {
    validate: { changed_rows_passes: 0 },
  });
  await phases(...READ);
  await sql(database.url(), changeFifty(table));

  const result = await phases(...REST);

  // A sample may have met some of them, whose range was then read again.
  const [served, wanted] = [await documentsOf(setup.alias), await held()];
  const old = Object.keys(wanted).filter((id) => !isDeepStrictEqual(served[id], wanted[id]));
  expect(onlyTarget(result)['stale']).toMatchObject({ rows: old.length });
});

it('without changed_at the result says from when on later changes are not in the index', {
  ...TIMEOUT,
  tags: 'long',
}, async (scope) => {
  const { table, phases } = await changingTable(scope, { source: {} });
  await phases(...READ);
  await sql(database.url(), changeFifty(table));

  const result = await phases(...REST);

  expect(onlyTarget(result)).toMatchObject({
    stale: null,
    validated: { remark: expect.stringContaining('later updates of a row are not in the index') },
  });
});

it('a promotion long after the proof proves again, so rows that went and came since are as in the table', {
  ...TIMEOUT,
  tags: 'long',
}, async (scope) => {
  const { table, setup, held, phases } = await changingTable(scope, { source: {} });
  await phases(...READ, 'finalize', 'validate');
  await sql(
    database.url(),
    `DELETE FROM ${table} WHERE id <= 500; INSERT INTO ${table} SELECT n, 'came' FROM generate_series(5001, 5050) n`,
  );

  const promoted = await setup.run('promote', '--run-key', 'k');

  expect(resultOf(promoted)).toMatchObject({ status: 'unfinished' });
  expect(promoted.stderr).toContain('the index is proven again before the alias moves');
  expect(await documentsOf(setup.alias)).toEqual(await held());
  expect(await phases('retain', 'release')).toMatchObject({
    rows: ROWS - 450,
    targets: [{ indexed: ROWS - 450, validated: { rows: ROWS - 450, documents: ROWS - 450 } }],
  });
});

it('an update since the proof that leaves the number of rows as it was is noticed by promote', {
  ...TIMEOUT,
  tags: 'long',
}, async (scope) => {
  const { table, setup, held, phases } = await changingTable(scope);
  await phases(...READ, 'finalize', 'validate');
  await sql(database.url(), changeFifty(table));

  const promoted = await setup.run('promote', '--run-key', 'k');

  expect(promoted.stderr).toContain('the index is proven again before the alias moves');
  expect(await documentsOf(setup.alias)).toEqual(await held());
});

it('a proof that still holds is not made again, and one older than validate.max_age_ms is', {
  ...TIMEOUT,
  tags: 'long',
}, async (scope) => {
  const young = await changingTable(scope);
  await young.phases(...READ, 'finalize', 'validate');
  expect((await young.setup.run('promote', '--run-key', 'k')).stderr).not.toContain('proven again');

  const old = await changingTable(scope, { validate: { max_age_ms: 1 } });
  await old.phases(...READ, 'finalize', 'validate');
  const promoted = await old.setup.run('promote', '--run-key', 'k');
  expect(promoted.stderr).toMatch(/proven again before the alias moves: .* was proven at .* ago/);
  expect(resultOf(promoted)).toMatchObject({ status: 'unfinished' });
});

it('a second proof that fails leaves the alias where it is', { ...TIMEOUT, tags: 'long' }, async (scope) => {
  const odd = `CASE WHEN current_setting('application_name') = 'reindex-fleet worker' THEN 7 ELSE 6 END`;
  const { table, setup, phases } = await changingTable(scope, {
    source: { where: `place.id <> ${odd} OR place.shown` },
  });
  await phases(...READ, 'finalize', 'validate');
  await sql(database.url(), `UPDATE ${table} SET shown = false; ANALYZE ${table}`);

  expect(errorOf(await setup.run('promote', '--run-key', 'k'), 1)).toContain('does not hold what');
  expect(await setup.served()).toEqual([]);
});
