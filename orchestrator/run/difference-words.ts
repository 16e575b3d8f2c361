import type { IndexDefinition } from '../../definition/definition.ts';
import type { Difference } from '../index/samples.ts';

/** Says in what table and index differ. It shows values only of the key and of fields that the definition lets be kept. */
export function differenceWords(
  { key, field, expected, found }: Difference,
  { source, deadLetters }: IndexDefinition,
): string {
  const mayBeSeen = field === source.key || deadLetters.keepFields.includes(field);
  const says = mayBeSeen
    ? `the table says ${expected}, the index ${found}`
    : `the table says ${kindOf(expected)}, the index ${kindOf(found)}${kindOf(found) === found || expected === found ? '' : ', and they differ'} (dead_letters.keep_fields lets values be shown)`;
  return `key ${key}, field ${field}: ${says}`;
}

/** What kind of value a JSON text is. Other words are our own, such as `no document`, and hold no value. */
function kindOf(text: string): string {
  const [first = ''] = text;
  const kinds: Readonly<Record<string, string>> = { '"': 'a text', '[': 'a list', '{': 'an object' };
  if (first in kinds) return kinds[first] ?? '';
  if (/^(null|true|false|undefined)$/.test(text)) return 'nothing or a boolean';
  return /^-?\d/.test(text) ? 'a number' : text;
}
