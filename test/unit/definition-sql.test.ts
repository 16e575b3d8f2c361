import { describe, expect, it } from 'vitest';
import { defaultMapping, fieldType, mayBeUnrepresentable, OID } from '../../definition/field-types.ts';
import {
  baseFrom,
  copyStatement,
  qualifiedKey,
  quoteLiteral,
  rangeCondition,
  selectRows,
  setLocal,
} from '../../definition/sql.ts';
import { type DefinitionSketch, sketchDefinition } from '../support/definitions.ts';

const OPEN = { start: null, end: null };
const sketch = (
  source: Partial<DefinitionSketch['source']>,
  document: Record<string, string> = { a: 'row.a' },
) => sketchDefinition({ source: { table: 'item', ...source }, document });

/** On one line, for what is compared. */
const flat = (sql: string): string => sql.replaceAll(/\s+/g, ' ');

describe('the SQL made from a definition', () => {
  it('reads a key range in the order of the qualified and quoted key', () => {
    const definition = sketch({ table: 'shop."Weird Item"', key: 'the "key"' });
    const statement = copyStatement(
      { definition, fields: [{ name: 'a', oid: OID.text }], changedAtOid: null },
      { start: -5n, end: 7n },
    );
    expect(flat(statement)).toBe(
      'COPY ( SELECT "row"."the ""key"""::int8, ( row.a ) FROM shop."Weird Item" AS "row" ' +
        `WHERE "row"."the ""key""" >= '-5'::int8 AND "row"."the ""key""" < '7'::int8 ORDER BY "row"."the ""key""" ) TO STDOUT (FORMAT binary)`,
    );
  });

  it('evaluates the where condition once, before the fields', () => {
    const definition = sketch({ where: 'row.a > 0 -- positive', changedAt: 'row.at' });
    const described = { definition, fields: [{ name: 'a', oid: OID.int4 }], changedAtOid: OID.timestamptz };
    expect(flat(selectRows(described, OPEN))).toBe(
      'SELECT "row"."id"::int8, reindex_fleet_kept, ( row.at ), CASE WHEN reindex_fleet_kept THEN ( row.a ) END ' +
        'FROM item AS "row" CROSS JOIN LATERAL (SELECT coalesce(( row.a > 0 -- positive ), false) AS reindex_fleet_kept OFFSET 0 * "row"."id") AS reindex_fleet_kept ' +
        `WHERE "row"."id" >= '-9223372036854775808'::int8 ORDER BY "row"."id"`,
    );
  });

  it('ends the line after each expression, so that a comment in it ends there', () => {
    const definition = sketch(
      { joins: [{ left: 'other AS o -- joined', on: 'o.id = row.id -- here' }] },
      { a: 'row.a -- last' },
    );
    expect(baseFrom(definition)).toContain('-- joined\n');
    expect(baseFrom(definition)).toContain('-- here\n)');
    expect(
      selectRows({ definition, fields: [{ name: 'a', oid: OID.text }], changedAtOid: null }, OPEN),
    ).toContain('-- last\n)');
  });

  it.each([
    ['city', '"city"."id"'],
    ['City', '"city"."id"'],
    ['"City"', '"City"."id"'],
    ['"a ""b"""', '"a ""b"""."id"'],
  ])('resolves the alias %s as PostgreSQL resolves it, so that the key is %s', (as, expected) => {
    expect(qualifiedKey(sketch({ as }))).toBe(expected);
  });

  it('leaves out rows without a key where both ends of a range are open, and has no condition for one open end', () => {
    const definition = sketch({});
    expect(rangeCondition(definition, OPEN)).toBe(`"row"."id" >= '-9223372036854775808'::int8`);
    expect(rangeCondition(definition, { start: 1n, end: null })).toBe(`"row"."id" >= '1'::int8`);
    expect(rangeCondition(definition, { start: null, end: 1n })).toBe(`"row"."id" < '1'::int8`);
  });

  it('selects types without an encoder as jsonb, and timestamps in the time zone of the definition', () => {
    const definition = sketch({ timeZone: "O'Hare\\x", changedAt: 'row.at' });
    const read = (oid: number): string =>
      flat(selectRows({ definition, fields: [{ name: 'a', oid }], changedAtOid: OID.timestamp }, OPEN));
    expect(read(869)).toContain(', to_jsonb(( row.a )) FROM');
    expect(read(OID.timestamp)).toContain(
      `(( row.at ) AT TIME ZONE E'O''Hare\\\\x'), (( row.a ) AT TIME ZONE E'O''Hare\\\\x') FROM`,
    );
    expect(read(OID.timestamptz)).toContain(', ( row.a ) FROM');
    expect(() => read(1115)).toThrow(/timestamptz\[\]/);
  });

  it('quotes the values of settings', () => {
    expect(setLocal({ TimeZone: 'UTC', x: "a'b" })).toBe(
      `SET LOCAL "TimeZone" = 'UTC'; SET LOCAL "x" = 'a''b'`,
    );
    expect(quoteLiteral('a\\b')).toBe(`E'a\\\\b'`);
  });
});

describe('the type of a field', () => {
  it.each([
    [OID.int2, 'short'],
    [OID.int8, 'long'],
    [OID.numeric, 'double'],
    [OID.uuid, 'keyword'],
    [OID.timestamptz, 'date'],
    [1016, 'long'],
    [1009, 'text'],
    [OID.jsonb, 'object'],
    [600, 'object'],
  ])('with the oid %i is mapped as %s', (oid, type) => {
    expect(defaultMapping(oid)).toMatchObject({ type });
  });

  it('is mapped as keyword when to_jsonb makes a string of it', () => {
    expect(defaultMapping(869, true)).toMatchObject({ type: 'keyword' });
  });

  it('follows from the element type of an array', () => {
    expect(fieldType(1231)).toEqual({ native: true, category: 'numeric', elementOid: OID.numeric });
    expect(fieldType(869)).toEqual({ native: false, category: 'json', elementOid: null });
    expect([OID.float4, 1231, OID.date, 1185].every(mayBeUnrepresentable)).toBe(true);
    expect([OID.int8, OID.text, OID.jsonb, 869].some(mayBeUnrepresentable)).toBe(false);
  });
});
