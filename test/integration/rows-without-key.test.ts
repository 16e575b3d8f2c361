import type { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { describeDefinition } from '../../definition/describe.ts';
import type { KeyRange } from '../../definition/key/key-range.ts';
import { requireAllPlaced } from '../../orchestrator/index/placed-rows.ts';
import { openValidationSource } from '../../orchestrator/index/postgresql-source.ts';
import { sketchDefinition } from '../support/definitions.ts';
import { databaseFaults } from '../support/inspected.ts';
import { useTestClient } from '../support/test-client.ts';

const KEYED = 50;
const KEYLESS = 7;
const ROWS = (table: string) => `
  INSERT INTO ${table} SELECT n, 'a' FROM generate_series(1, ${KEYED}) n;
  INSERT INTO ${table} SELECT NULL, 'lost' FROM generate_series(1, ${KEYLESS})`;

/** Tables with seven rows whose key is NULL, by how that came about. */
const TABLES: readonly (readonly [how: string, table: string, sql: string])[] = [
  [
    'a constraint NOT NULL that is not valid',
    'not_valid',
    `CREATE TABLE not_valid (id bigint UNIQUE, a text); ${ROWS('not_valid')};
     ALTER TABLE not_valid ADD CONSTRAINT keyed NOT NULL id NOT VALID`,
  ],
  [
    'a child that does not inherit the constraint of its parent',
    'parent_only',
    `CREATE TABLE parent_only (id bigint UNIQUE, a text, CONSTRAINT keyed NOT NULL id NO INHERIT);
     CREATE TABLE child_only () INHERITS (parent_only); CREATE UNIQUE INDEX ON child_only (id); ${ROWS('child_only')}`,
  ],
  [
    'a partition whose constraint is not valid',
    'parted',
    `CREATE TABLE parted (id bigint, a text) PARTITION BY LIST (a);
     CREATE TABLE parted_a PARTITION OF parted FOR VALUES IN ('a'); CREATE UNIQUE INDEX ON parted_a (id);
     CREATE TABLE parted_lost PARTITION OF parted FOR VALUES IN ('lost'); CREATE UNIQUE INDEX ON parted_lost (id);
     ${ROWS('parted')}; ALTER TABLE parted ADD CONSTRAINT keyed NOT NULL id NOT VALID`,
  ],
  [
    'a view that gives such rows',
    'keyless_view',
    `CREATE TABLE below (id bigint UNIQUE, a text); ${ROWS('below')}; CREATE VIEW keyless_view AS SELECT * FROM below`,
  ],
  [
    'a materialized view that holds such rows',
    'keyless_stored',
    `CREATE MATERIALIZED VIEW keyless_stored AS SELECT * FROM below; CREATE UNIQUE INDEX ON keyless_stored (id)`,
  ],
];
/** The planner believes this one, so a look for IS NULL finds nothing. */
const LIE = `
  CREATE TABLE lied_about (id bigint UNIQUE, a text); ${ROWS('lied_about')};
  UPDATE pg_catalog.pg_attribute SET attnotnull = true WHERE attrelid = 'lied_about'::regclass AND attname = 'id'`;

describe('rows whose key is NULL', () => {
  let client: Client;
  useTestClient(async (opened) => {
    client = opened;
    for (const [, , sql] of TABLES) await client.query(sql);
    await client.query(LIE);
    await client.query('ANALYZE');
  });

  async function requirePlaced(table: string, ranges: readonly KeyRange[]): Promise<void> {
    const definition = sketchDefinition({ source: { table }, document: { a: 'row.a' } });
    const described = await describeDefinition(client, definition);
    return requireAllPlaced({
      source: openValidationSource((work) => work(client), described),
      described,
      ranges,
    });
  }
  async function shownBy(message: string): Promise<number> {
    const [statement = ''] = /SELECT \*.*(?= shows them)/.exec(message) ?? [];
    return (await client.query(statement)).rows.length;
  }
  const refusalOf = (work: Promise<void>): Promise<string> =>
    work.then(
      () => 'not refused',
      (error: unknown) => (error as Error).message,
    );

  test.each(TABLES)(
    'are found by the plan with their number and a statement, after %s',
    async (_how, table) => {
      const text = `source: { table: ${table}, as: row, key: id }\ndocument: { a: row.a }\n`;
      const fault = (await databaseFaults(client, text)).join('\n');
      expect(fault).toContain(`source.key: ${KEYLESS} rows of ${table} without a key would be lost`);
      expect(await shownBy(fault)).toBe(KEYLESS);
    },
  );

  test.each([...TABLES.map(([how, table]) => [how, table]), ['a catalogue that lies', 'lied_about']])(
    'are refused by the proof with their number and a statement, after %s, however keys are split into ranges',
    async (_how, table = '') => {
      const open = { start: null, end: null };
      for (const ranges of [
        [open],
        [
          { start: null, end: 20n },
          { start: 20n, end: 40n },
          { start: 40n, end: null },
        ],
      ]) {
        const refusal = await refusalOf(requirePlaced(table, ranges));
        expect(refusal).toContain(`${KEYLESS} rows of the ${KEYED + KEYLESS} of ${table} lie in no range`);
        expect(await shownBy(refusal)).toBe(KEYLESS);
      }
    },
  );

  test('a table whose rows all have keys is accepted, and one with a range too few is not', async () => {
    await client.query(
      'CREATE TABLE whole (id bigint PRIMARY KEY, a text); INSERT INTO whole SELECT n FROM generate_series(1, 50) n',
    );
    const ranges = [
      { start: null, end: 20n },
      { start: 40n, end: null },
    ];
    expect(await refusalOf(requirePlaced('whole', [{ start: null, end: null }]))).toBe('not refused');
    const refusal = await refusalOf(requirePlaced('whole', ranges));
    expect(refusal).toContain('20 rows of the 50 of whole lie in no range');
    expect(await shownBy(refusal)).toBe(20);
  });
});
