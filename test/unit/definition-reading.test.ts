import { describe, expect, it } from 'vitest';
import { OID } from '../../definition/field-types.ts';
import { describedTarget, faultOfTarget, readingColumns } from '../../definition/reading.ts';
import { copyStatement, selectRows } from '../../definition/sql.ts';
import { type DefinitionSketch, sketchDefinition } from '../support/definitions.ts';

const FIELDS = { a: 'row.a', b: 'row.b', c: 'row.c' };

const sketch = (
  source: Partial<DefinitionSketch['source']> = {},
  document: Record<string, string> = FIELDS,
) => sketchDefinition({ source: { table: 'item', ...source }, document });

const READING = sketch();
const DESCRIBED = {
  definition: READING,
  fields: Object.keys(FIELDS).map((name) => ({ name, oid: OID.text })),
  changedAtOid: null,
};

const flat = (sql: string): string => sql.replaceAll(/\s+/g, ' ');

describe('the columns of one reading for several targets', () => {
  it('hold each different condition once, and each field only for rows that one of its targets takes', () => {
    const targets = [
      sketch({ where: 'row.x' }, { a: FIELDS.a, b: FIELDS.b }),
      sketch({ where: 'row.y' }, { b: FIELDS.b }),
      sketch({ where: 'row.x' }, { b: FIELDS.b }),
    ];
    expect(readingColumns(DESCRIBED, targets)).toMatchObject({
      wheres: ['row.x', 'row.y'],
      fields: [
        { name: 'a', wheres: [0] },
        { name: 'b', wheres: [0, 1] },
      ],
    });
    expect(flat(selectRows(DESCRIBED, { start: null, end: null }, targets))).toBe(
      'SELECT "row"."id"::int8, reindex_fleet_kept, reindex_fleet_kept_2, ' +
        'CASE WHEN reindex_fleet_kept THEN ( row.a ) END, ' +
        'CASE WHEN reindex_fleet_kept OR reindex_fleet_kept_2 THEN ( row.b ) END ' +
        'FROM item AS "row" CROSS JOIN LATERAL (SELECT coalesce(( row.x ), false) AS reindex_fleet_kept, ' +
        'coalesce(( row.y ), false) AS reindex_fleet_kept_2 OFFSET 0 * "row"."id") AS reindex_fleet_kept ' +
        `WHERE "row"."id" >= '-9223372036854775808'::int8 ORDER BY "row"."id"`,
    );
  });

  it('hold every field of every row when one target takes all rows', () => {
    const targets = [sketch({ where: 'row.x' }), sketch({}, { c: FIELDS.c })];
    expect(readingColumns(DESCRIBED, targets).fields.map(({ name, wheres }) => [name, wheres])).toEqual([
      ['a', [0]],
      ['b', [0]],
      ['c', null],
    ]);
  });

  it('equal the columns of the definition when it is the only target', () => {
    const definition = sketch({ where: 'row.x' });
    const described = { ...DESCRIBED, definition };
    const range = { start: 1n, end: 9n };
    expect(copyStatement(described, range, [definition])).toBe(copyStatement(described, range));
  });
});

describe('a target of a shared reading', () => {
  it('may have its own condition, its own choice of fields, its own mappings and its own limits', () => {
    const target = { ...sketch({ where: 'row.x' }, { c: FIELDS.c, a: FIELDS.a }), maxDocumentBytes: 5 };
    expect(faultOfTarget(READING, target)).toBeNull();
    expect(describedTarget(DESCRIBED, target).fields.map(({ name }) => name)).toEqual(['c', 'a']);
  });

  it.each<[string, Partial<DefinitionSketch['source']>]>([
    ['source.table', { table: 'other' }],
    ['source.as', { as: 'item' }],
    ['source.key', { key: 'number' }],
    ['source.joins', { joins: [{ left: 'region AS g', on: 'true' }] }],
    ['source.changed_at', { changedAt: 'row.changed' }],
    ['source.time_zone', { timeZone: 'Europe/Berlin' }],
  ])('is refused when its %s differs from that of the reading', (name, source) => {
    expect(faultOfTarget(READING, sketch(source))).toContain(`they differ in ${name}`);
  });

  it('is refused with a field that is not read, or with another expression for a field', () => {
    expect(faultOfTarget(READING, sketch({}, { d: 'row.d' }))).toContain('no field "d"');
    expect(faultOfTarget(READING, sketch({}, { a: 'row.a || row.b' }))).toContain(
      'they have different expressions for the field "a"',
    );
  });
});
