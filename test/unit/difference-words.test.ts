import { describe, expect, it } from 'vitest';
import { parseDefinition } from '../../definition/load.ts';
import { differenceWords } from '../../orchestrator/run/difference-words.ts';

const { definition } = parseDefinition(
  'name: places\nalias: places\nsource: { table: places, key: id }\ndocument: { name: places.name }\n',
  'places.yaml',
);

describe('the words of a difference between table and index', () => {
  it('say that a search does not find a value, and do not show the value', () => {
    const found = 'does not find the document by this value in a field of type text, though _source shows it';
    const words = differenceWords({ key: 7n, field: 'name', expected: '"Anna"', found }, definition);
    expect(words).toBe(
      `key 7, field name: the table says a text, the index ${found} (dead_letters.keep_fields lets values be shown)`,
    );
  });

  it('say what kind the values are that differ', () => {
    const words = differenceWords({ key: 7n, field: 'name', expected: '"Anna"', found: '12' }, definition);
    expect(words).toContain('the table says a text, the index a number, and they differ');
    expect(words).not.toContain('Anna');
  });
});
