import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Lexeme,
  lexemesToText,
  parseJson,
  parseLexemes,
  sameJson,
} from '../../orchestrator/index/exact-json.ts';

const same = (a: string, b: string): boolean => sameJson(parseLexemes(a), parseLexemes(b));

describe('exact comparison of JSON', () => {
  it.each([
    ['1.50', '1.5'],
    ['1e2', '100'],
    ['-0', '0.00'],
    ['12345678901234567890.10', '12345678901234567890.1'],
    ['1E-7', '0.0000001'],
    ['[1.0,{"a":2,"b":"x"}]', '[1,{"b":"x","a":2.00}]'],
  ])('finds %s and %s equal', (a, b) => {
    expect(same(a, b)).toBe(true);
  });

  it.each([
    ['9007199254740993', '9007199254740992'],
    ['0.1234567890123456789', '0.1234567890123456788'],
    ['1', '-1'],
    ['1', '"1"'],
    ['null', '{}'],
    ['{"a":null}', '{}'],
    ['[1,2]', '[2,1]'],
    ['[]', '{}'],
  ])('finds %s and %s different', (a, b) => {
    expect(same(a, b)).toBe(false);
    expect(same(b, a)).toBe(false);
  });

  it('keeps every digit of an integer', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (key) => {
        expect(
          BigInt(
            parseJson(`{"key":${key}}`) instanceof Object
              ? String(Reflect.get(parseJson(`{"key":${key}}`) as object, 'key'))
              : '',
          ),
        ).toBe(key);
        expect(parseLexemes(String(key))).toEqual(new Lexeme(String(key)));
      }),
    );
  });

  it('finds any JSON equal to itself, and writes it back unchanged', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const normal = JSON.stringify(JSON.parse(text));
        expect(same(text, normal)).toBe(true);
        expect(lexemesToText(parseLexemes(normal))).toBe(normal);
      }),
    );
  });
});
