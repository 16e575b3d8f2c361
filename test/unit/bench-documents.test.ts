import { expect, it } from 'vitest';
import { documentsHash, firstDifference } from '../bench/peers/same-documents.ts';
import { bulkItems } from '../bench/sinks/bulk-lines.ts';

const documents = (entries: Record<string, string>): Map<string, string> => new Map(Object.entries(entries));
const EXPECTED = documents({ '1': '{"id":1,"price":12.30,"tags":["a","b"]}', '2': '{"id":2}' });

it('the order of documents and fields, blanks, and how a number is written make no difference', () => {
  const same = documents({ '2': '{ "id": 2 }', '1': '{"tags":["a","b"],"price":12.3,"id":1}' });
  expect(firstDifference(EXPECTED, same)).toBeNull();
  expect(documentsHash(same)).toBe(documentsHash(EXPECTED));
});

it.each([
  [
    'another value',
    { '1': '{"id":1,"price":12.31,"tags":["a","b"]}' },
    'the field "price" is 12.31 instead of 12.30',
  ],
  [
    'a number as a text',
    { '1': '{"id":"1","price":12.3,"tags":["a","b"]}' },
    'the field "id" is "1" instead of 1',
  ],
  [
    'a field that is missing',
    { '1': '{"id":1,"price":12.3}' },
    'the field "tags" is nothing instead of ["a","b"]',
  ],
  [
    'a field that is too many',
    { '2': '{"id":2,"x":null}' },
    'in the document "2" the field "x" is null instead of nothing',
  ],
  [
    'the order of an array',
    { '1': '{"id":1,"price":12.3,"tags":["b","a"]}' },
    'the field "tags" is ["b","a"]',
  ],
  ['no object', { '2': '7' }, 'in the document "2" there is 7 instead of {"id":2}'],
  ['a document that is too many', { '3': '{}' }, 'the document "3" is too many'],
])('a difference is named and changes the hash: %s', (_, change, words) => {
  const actual = new Map([...EXPECTED, ...documents(change)]);
  expect(firstDifference(EXPECTED, actual)).toContain(words);
  expect(documentsHash(actual)).not.toBe(documentsHash(EXPECTED));
});

it('a document that is missing is named', () => {
  expect(firstDifference(EXPECTED, documents({ '1': EXPECTED.get('1') ?? '' }))).toBe(
    'the document "2" is missing',
  );
});

it.each([
  ['the id alone', '{"index":{"_id":"7"}}'],
  ['the index first', '{"index":{"_index":"bench","_id":"7"}}'],
  ['the index last', '{"index":{"_id":"7","_index":"bench"}}'],
])('a bulk is read whatever its actions name: %s', (_, action) => {
  const body = Buffer.from(`${action}\n{"_id":"x"}\n${action}\n{"a":"é"}\n`);
  const read = [...bulkItems(body)].map(({ id, documentStart, documentEnd }) => [
    id,
    body.toString('utf8', documentStart, documentEnd),
  ]);
  expect(read).toEqual([
    ['7', '{"_id":"x"}'],
    ['7', '{"a":"é"}'],
  ]);
});

it.each([
  ['an action without an _id', '{"index":{}}\n{"_id":"x"}\n', 'A bulk action has no _id: {"index":{}}'],
  ['a body that is cut off', '{"index":{"_id":"1"}}\n{"a":1}', 'A bulk body lacks its last newline.'],
])('a bulk that is not one is refused: %s', (_, body, words) => {
  expect(() => [...bulkItems(Buffer.from(body))]).toThrow(words);
});
