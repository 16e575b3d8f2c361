import { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { parseDefinition } from '../../definition/load.ts';
import { messageOf } from '../../orchestrator/errors.ts';
import { type DefinitionPlan, planDefinition } from '../../orchestrator/plan/plan.ts';
import type { TestDatabase } from '../support/database.ts';
import { useTestClient } from '../support/test-client.ts';

describe('the plan of a definition that does not say the same twice', () => {
  let database: Pick<TestDatabase, 'url'>;
  let client: Client;
  useTestClient(async (opened, own) => {
    client = opened;
    database = own;
    await client.query(`
      CREATE TABLE t (id int PRIMARY KEY, name text, born date, until timestamptz, counter int);
      INSERT INTO t SELECT n, 'name ' || n, '2000-01-01', '2030-01-01', 0 FROM generate_series(1, 500) n;
      CREATE VIEW fresh AS SELECT id, name, until > now() AS active, clock_timestamp() AS seen FROM t AS below;
      CREATE FUNCTION stamp(text) RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN $1 || localtimestamp; END $$;
      CREATE FUNCTION years(date) RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN extract(year FROM age($1)); END $$;
      CREATE FUNCTION outer_years(date) RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN years($1); END $$;
      CREATE FUNCTION plain(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN upper($1); END $$;
      ANALYZE`);
  });

  const plan = (document: string, source = ''): Promise<DefinitionPlan> =>
    planDefinition(
      client,
      parseDefinition(
        `source: { table: t, as: t, key: id${source} }\ndocument: { ${document} }\n`,
        'test.yaml',
      ),
      { workers: 2 },
    );
  const refusal = (document: string, source = ''): Promise<string> =>
    plan(document, source).then(() => 'not refused', messageOf);

  test.each([
    ['the transaction’s time', 'v: now()'],
    ['the clock', 'v: "to_char(clock_timestamp(), \'US\')"'],
    ['chance', 'v: random()'],
    ['a new id', 'v: gen_random_uuid()'],
    ['a constant that is the moment', 'v: "\'now\'::timestamptz"'],
    ['the time in some rows only', 'v: "CASE WHEN t.id % 40 = 1 THEN now() END"'],
    ['the time inside of JSON', 'v: "jsonb_build_object(\'a\', jsonb_build_array(statement_timestamp()))"'],
    ['the time in the body of a function', 'v: stamp(t.name)'],
  ])('refuses a field that is %s', async (_what, document) => {
    expect(await refusal(document)).toMatch(
      /^test\.yaml:2:\d+ document\.v: This is another value at each asking, so no index can be proved to hold it\. .*compare: false/,
    );
  });

  test.each([
    ['a view', 'v: f.seen', ', joins: [{ left: fresh AS f, on: f.id = t.id }]', 'document.v'],
    [
      'a joined subquery',
      'v: o.id',
      ', joins: [{ left: "LATERAL (SELECT x.id FROM t AS x WHERE t.id > 0 ORDER BY random() LIMIT 1) AS o", on: "true" }]',
      'document.v',
    ],
    ['a condition', 'v: t.name', ', where: random() < 0.5', 'source.where'],
    ['changed_at', 'v: t.name', ', changed_at: now()', 'source.changed_at'],
  ])('refuses what changes in %s', async (_where, document, source, path) => {
    expect(await refusal(document, source)).toContain(`${path}: This is another value at each asking`);
  });

  test('accepts it in a field that is left out of comparison', async () => {
    const planned = await plan('indexed_at: { sql: now(), compare: false }, name: t.name');
    expect(planned.warnings).toEqual([]);
    expect(planned.described.definition.document).toMatchObject([{ name: 'indexed_at', compare: false }, {}]);
  });

  test.each([
    ['a comparison with now', 'v: t.until > now()', '', ['document.v', 'now() (the time of day)']],
    ['the day of the run', 'v: t.born = current_date', '', ['document.v', 'CURRENT_DATE (the time of day)']],
    [
      'an age',
      'v: extract(year FROM age(t.born))',
      '',
      ['document.v', 'age() with one argument (the time of day)'],
    ],
    [
      'a constant of the day',
      'v: "t.born > \'today\'::date"',
      '',
      ['document.v', "'today'::date (the time of day)"],
    ],
    [
      'the session',
      'v: "current_setting(\'application_name\')"',
      '',
      ['document.v', 'current_setting() (the session)'],
    ],
    [
      'a view that compares with now',
      'v: f.active',
      ', joins: [{ left: fresh AS f, on: f.id = t.id }]',
      ['document.v', 'now() (the time of day)'],
    ],
    [
      'a function that calls one that takes an age',
      'v: outer_years(t.born)',
      '',
      [
        'document.v',
        'outer_years(), which calls years(), which calls age() with one argument (the time of day)',
      ],
    ],
    [
      'a condition on now',
      'v: t.name',
      ', where: t.until > now()',
      ['source.where', 'now() (the time of day)'],
    ],
  ])('warns of %s, which changes later', async (_what, document, source, named) => {
    const [path, call = ''] = named;
    const { warnings } = await plan(document, source);
    expect(warnings).toEqual([expect.stringContaining(`${path}: This, or a join`)]);
    expect(warnings[0]).toContain(call);
  });

  test('says nothing of fields that are the same each time', async () => {
    const { warnings } = await plan(
      `a: plain(t.name), b: "age('2020-01-01', t.until)", c: "'now() and random()'", d: "t.name || ' random('"`,
      `, changed_at: t.until, where: t.id > 0`,
    );
    expect(warnings).toEqual([]);
  });

  test('does not take a row that changes meanwhile for an expression that does', async (scope) => {
    const writer = new Client({ connectionString: database.url });
    await writer.connect();
    scope.onTestFinished(() => writer.end());
    let once = true;
    const query = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>;
    const changing = Object.assign(Object.create(client) as Client, {
      query: async (...args: unknown[]): Promise<unknown> => {
        const text = JSON.stringify(args[0]);
        const result = await query(...args);
        if (once && text.includes('asked_key')) {
          once = false;
          await writer.query('UPDATE t SET counter = counter + 1');
        }
        return result;
      },
    });
    const loaded = parseDefinition(
      'source: { table: t, as: t, key: id }\ndocument: { v: t.counter }\n',
      'test.yaml',
    );
    await planDefinition(changing, loaded, { workers: 2 });
    expect(once).toBe(false);
  });
});

describe('the plan of a definition with changed_at', () => {
  let client: Client;
  useTestClient(async (opened) => {
    client = opened;
    await client.query(`
      CREATE TABLE few (id int PRIMARY KEY, at timestamptz, local timestamp, kept boolean NOT NULL DEFAULT true);
      INSERT INTO few VALUES (1, '2026-01-01', '2026-01-01'), (2, NULL, NULL), (3, '1969-12-31 23:59:59+00', '1970-01-01 00:30'),
        (4, 'infinity', 'infinity'), (5, '-infinity', '-infinity'), (6, '1970-01-01+00', '1970-01-01 01:00');
      INSERT INTO few VALUES (7, NULL, NULL, false);
      CREATE TABLE many (id int PRIMARY KEY, at timestamptz);
      INSERT INTO many SELECT n, CASE WHEN n % 4 > 0 THEN '2026-01-01'::timestamptz END FROM generate_series(1, 250000) n;
      ANALYZE`);
  });

  const plan = (source: string, exact = false): Promise<DefinitionPlan> =>
    planDefinition(
      client,
      parseDefinition(`source: { as: t, key: id, ${source} }\ndocument: { v: t.id }\n`, 'test.yaml'),
      { workers: 2, exact },
    );

  test('counts the rows of a small table whose time cannot be a version, in the definition’s zone, of those that it keeps', async () => {
    const planned = await plan('table: few, changed_at: t.at, where: t.kept');
    expect(planned.unusableChangedAt).toEqual({ count: 4, exact: true });
    expect(planned.warnings).toEqual([
      'test.yaml:1:51 source.changed_at: 4 rows have a changed_at that is null, infinite or before 1970. Each becomes a dead letter. Write unusable_changed_at: lowest_version to give such rows version 0 instead.',
    ]);
    const local = await plan('table: few, changed_at: t.local, time_zone: Europe/Berlin, where: t.kept');
    expect(local.unusableChangedAt).toEqual({ count: 4, exact: true });
  });

  test('says what the definition makes of them', async () => {
    const { warnings } = await plan('table: few, changed_at: t.at, unusable_changed_at: lowest_version');
    expect(warnings).toEqual([expect.stringContaining('5 rows have a changed_at')]);
    expect(warnings[0]).toContain('They get version 0, the lowest.');
  });

  test('estimates them in a large table, and counts them when asked to', async () => {
    const estimated = await plan('table: many, changed_at: t.at');
    expect(estimated.unusableChangedAt).toMatchObject({ exact: false });
    expect(Math.abs((estimated.unusableChangedAt?.count ?? 0) / 62_500 - 1)).toBeLessThan(0.2);
    expect(estimated.warnings.join()).toMatch(
      /about [\d,]+ rows have .* \(estimated from a sample; plan --exact counts them\)/,
    );
    expect((await plan('table: many, changed_at: t.at', true)).unusableChangedAt).toEqual({
      count: 62_500,
      exact: true,
    });
  });
});
