import { describe, expect, test } from 'vitest';
import { fieldDifferences, sameField } from '../../orchestrator/index/effective/field-differences.ts';

describe('the mapping of a field', () => {
  test.each([
    [
      { type: 'keyword' },
      { type: 'keyword', null_value: 'none' },
      'the field "f" came with null_value: "none"',
    ],
    [{ type: 'date' }, { type: 'text' }, 'the field "f" is "text", not "date"'],
    [{ type: 'keyword', ignore_above: 9 }, { type: 'keyword' }, 'the field "f" has lost ignore_above: 9'],
    [
      { type: 'completion', max_input_length: 50 },
      { type: 'completion', max_input_length: 3 },
      'the field "f" has max_input_length: 3, not 50',
    ],
    [
      { type: 'text', fields: { raw: { type: 'keyword' } } },
      { type: 'text', fields: { raw: { type: 'keyword', doc_values: false } } },
      'the field "f.raw" came with doc_values: false',
    ],
    [
      { properties: { a: { type: 'long' } } },
      { properties: { a: { type: 'long' }, b: { type: 'long' } } },
      'it came with the field "f.b"',
    ],
    [{ properties: { a: { type: 'long' } } }, { properties: {} }, 'the field "f.a" is missing'],
    [{ type: 'text' }, { type: 'text', copy_to: ['g'] }, 'the field "f" came with copy_to: ["g"]'],
  ])('differs between %j and %j, and the words say how', (wanted, found, words) => {
    expect(sameField(wanted, found)).toBe(false);
    expect(fieldDifferences('f', wanted, found)).toEqual([words]);
  });

  test.each([
    [
      { index: 'true', dims: '3' },
      { dims: 3, index: true },
    ],
    [{ type: 'object', properties: { type: { type: 'long' } } }, { properties: { type: { type: 'long' } } }],
    [
      { type: 'join', relations: { q: ['a'] } },
      { relations: { q: ['a'] }, type: 'join' },
    ],
  ])('is the same in %j and %j, however it is written', (one, other) => {
    expect(sameField(one, other)).toBe(true);
    expect(fieldDifferences('f', one, other)).toEqual([]);
  });
});
