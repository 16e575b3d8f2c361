import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { TaskFailure } from '../../worker/task-failure.ts';
import type { CollectingWriter } from '../support/collecting-writer.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type DefinitionSketch, sketchDefinition } from '../support/definitions.ts';
import { readAll, withClient } from '../support/read-all.ts';

/** Rows whose expressions fail, in every way that PostgreSQL knows. */

const ROWS = 3_000;
const BAD = 1_777;
/** Stands in every value of the bad row. */
const MARKER = 'marker-7f3a';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase(inject('postgresUrl'));
  await sql(`
    CREATE TABLE book (id bigint PRIMARY KEY, note text);
    INSERT INTO book SELECT i, CASE WHEN i = ${BAD} THEN '${MARKER}' ELSE i::text END FROM generate_series(1, ${ROWS}) i;
    CREATE TABLE tag (book_id bigint, name text);
    INSERT INTO tag SELECT i, 'tag' FROM generate_series(1, ${ROWS}) i;
    INSERT INTO tag VALUES (${BAD}, '${MARKER}');
    CREATE INDEX ON tag (book_id);
    CREATE DOMAIN short AS text CHECK (length(VALUE) < 8);
    CREATE FUNCTION refuse(value text, state text) RETURNS text LANGUAGE plpgsql AS $$
      BEGIN
        IF value = '${MARKER}' THEN RAISE EXCEPTION 'not %', value USING ERRCODE = state, DETAIL = value; END IF;
        RETURN value;
      END $$;
    CREATE FUNCTION refuse_all(value text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'never %', value; END $$;
    CREATE FUNCTION without_end(value text) RETURNS text LANGUAGE plpgsql AS $$
      BEGIN RETURN CASE WHEN value = '${MARKER}' THEN without_end(value) ELSE value END; END $$;
    CREATE FUNCTION from_table_named(value text) RETURNS text LANGUAGE plpgsql AS $$
      BEGIN IF value = '${MARKER}' THEN EXECUTE format('SELECT * FROM %I', value); END IF; RETURN value; END $$;
    CREATE FUNCTION asserted(value text) RETURNS text LANGUAGE plpgsql AS $$
      BEGIN ASSERT value <> '${MARKER}', 'it is ' || value; RETURN value; END $$;
    CREATE FUNCTION without_return(value text) RETURNS text LANGUAGE plpgsql AS $$
      BEGIN IF value <> '${MARKER}' THEN RETURN value; END IF; END $$;
    CREATE FUNCTION written(value text) RETURNS text LANGUAGE plpgsql AS $$
      BEGIN IF value = '${MARKER}' THEN INSERT INTO tag VALUES (1, value); END IF; RETURN value; END $$`);
});
afterAll(() => database.drop());

async function sql(text: string): Promise<void> {
  await withClient({ connectionString: database.url }, (client) => client.query(text));
}

function read(sketch: DefinitionSketch): Promise<CollectingWriter> {
  return readAll({ connectionString: database.url }, sketchDefinition(sketch));
}

async function failureOf(sketch: DefinitionSketch): Promise<TaskFailure> {
  const failure: unknown = await read(sketch).catch((error: unknown) => error);
  if (failure instanceof TaskFailure) return failure;
  throw new Error('The reading did not fail.');
}

/** What makes fields fail for the bad row alone, with their SQLSTATE, and what is said of it. */
const WAYS: readonly (readonly [string, string, string, string])[] = [
  [
    'a subquery with two rows',
    '21000',
    '(SELECT tag.name FROM tag WHERE tag.book_id = row.id)',
    'more than one row returned by a subquery used as an expression, SQLSTATE 21000',
  ],
  [
    'a function that raises',
    'P0001',
    "refuse(row.note, 'P0001')",
    'error raised in a function in the function refuse, SQLSTATE P0001',
  ],
  [
    'a function that raises what a lost connection is',
    '08006',
    "refuse(row.note, '08006')",
    'error raised in a function in the function refuse, SQLSTATE 08006',
  ],
  [
    'a function that raises what a conflict is',
    '40001',
    "refuse(row.note, '40001')",
    'error raised in a function in the function refuse, SQLSTATE 40001',
  ],
  [
    'a function that raises what corrupted data is',
    'XX001',
    "refuse(row.note, 'XX001')",
    'internal error in the function refuse, SQLSTATE XX001',
  ],
  [
    'an assertion',
    'P0004',
    'asserted(row.note)',
    'error raised in a function in the function asserted, SQLSTATE P0004',
  ],
  ['a recursion without end', '54001', 'without_end(row.note)', 'stack depth limit exceeded'],
  ['a domain', '23514', 'row.note::short::text', 'value for domain short violates check constraint …'],
  ['a table that a function looks for', '42P01', 'from_table_named(row.note)', 'relation … does not exist'],
  [
    'a function without RETURN',
    '2F005',
    'without_return(row.note)',
    'control reached end of function without RETURN',
  ],
  [
    'a function that writes',
    '25006',
    'written(row.note)',
    'cannot execute INSERT in a read-only transaction',
  ],
  ['a number that is none', '22P02', 'row.note::int::text', 'invalid input syntax for type integer: …'],
  [
    'a date that is none',
    '22007',
    "(CASE WHEN row.note = '" + MARKER + "' THEN row.note ELSE '2024-01-01' END)::date",
    'invalid input syntax for type date: …',
  ],
];

describe('a single row that breaks its own evaluation', () => {
  it.each(WAYS)(
    'is found and dead-lettered alone, with its field and without its values: %s',
    async (_name, type, field, said) => {
      const writer = await read({
        source: { table: 'book' },
        document: { other: 'row.id', broken: field },
      });
      expect(writer.letters.map(({ key, type }) => [key, type])).toEqual([[BigInt(BAD), type]]);
      expect(writer.letters[0]?.reason).toContain(`The field "broken" cannot be computed: ${said}`);
      expect(writer.letters.map((letter) => Object.values(letter).join(' ')).join('\n')).not.toContain(
        MARKER,
      );
      expect(writer.keys).toHaveLength(ROWS - 1);
      expect(writer.settledThrough).toBe(BigInt(ROWS));
    },
  );

  it('has all of the database’s words where the definition keeps its field', async () => {
    const writer = await read({
      source: { table: 'book' },
      document: { broken: 'row.note::int' },
      keepFields: ['broken'],
    });
    expect(writer.letters[0]?.reason).toContain(`invalid input syntax for type integer: "${MARKER}"`);
  });

  it.each([
    ['where', { where: "refuse(row.note, 'P0001') IS NOT NULL" }, 'source.where'],
    [
      'a join',
      { joins: [{ left: 'tag AS t', on: "t.book_id = -row.id AND refuse(row.note, 'P0001') = t.name" }] },
      'a join',
    ],
  ])('is found when %s breaks', async (_name, source, said) => {
    if ('joins' in source) await sql(`INSERT INTO tag VALUES (-${BAD}, 'x')`);
    const writer = await read({ source: { table: 'book', ...source }, document: { note: 'row.note' } });
    expect(writer.letters.map(({ key, type }) => [key, type])).toEqual([[BigInt(BAD), 'P0001']]);
    expect(writer.letters[0]?.reason).toContain(`The row cannot be read (${said})`);
    expect(writer.keys).toHaveLength(ROWS - 1);
  });
});

describe('an expression that breaks', () => {
  it('for every row stops the task with a key, and buries none', async () => {
    const failure = await failureOf({
      source: { table: 'book' },
      document: { note: 'refuse_all(row.note)' },
    });
    expect(failure).toMatchObject({ next: 'stop', type: 'P0001' });
    expect(failure.message).toContain('fails for every row that was tried, the row of key 1 among them');
  });

  it('for every row that where keeps stops the task', async () => {
    const failure = await failureOf({
      source: { table: 'book', where: 'row.id % 2 = 0' },
      document: { note: 'refuse_all(row.note)' },
    });
    expect(failure).toMatchObject({ next: 'stop', type: 'P0001' });
  });
});
