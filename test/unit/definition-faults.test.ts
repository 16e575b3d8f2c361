import { describe, expect, test } from 'vitest';
import { Faults } from '../../definition/faults.ts';
import { parseDefinition } from '../../definition/load.ts';

const SMALLEST = 'source: { table: cities, key: id }\ndocument: { name: cities.name }\n';

function faultsOf(text: string, file = 'cities.yaml'): string[] {
  try {
    parseDefinition(text, file);
    return [];
  } catch (error) {
    if (!(error instanceof Faults)) throw error;
    return error.message.split('\n');
  }
}

describe('the check of an index definition', () => {
  test('names every fault at once, each with its line and column and with what to write instead', () => {
    const text = [
      'alias: Cities',
      'source:',
      '  table: cities',
      '  key: [country, code]',
      '  chnged_at: city.updated_at',
      'document:',
      '  population: 3',
      '  location: { sq: "point" }',
      'dead_letters:',
      '  keep_fields: [populaton]',
    ].join('\n');
    expect(faultsOf(text)).toEqual([
      'cities.yaml:1:8 alias: Index names are lowercase: write "cities".',
      expect.stringMatching(
        /^cities\.yaml:4:3 source\.key: The key is one column\. Composite keys and expressions are not supported: add a column/,
      ),
      'cities.yaml:5:3 source.chnged_at: This is not a setting. Did you mean "changed_at"?',
      expect.stringMatching(/^cities\.yaml:7:15 document\.population: Write the field's SQL in a text/),
      expect.stringMatching(
        /^cities\.yaml:8:3 document\.location\.sql: This is missing\. Write the field's SQL/,
      ),
      'cities.yaml:8:15 document.location.sq: This is not a setting. Did you mean "sql"?',
      'cities.yaml:10:17 dead_letters.keep_fields[0]: The document has no field "populaton". Did you mean "population"?',
    ]);
  });

  test.each([
    ['key: id, id2', 'Composite keys and expressions are not supported'],
    ['key: "(id + 1)"', 'Composite keys and expressions are not supported'],
    ['key: city.id', 'Name the column alone, without its table and without quotes: id.'],
    [`key: '"Id"'`, 'without quotes: Id.'],
    ['key: _id', 'Field names that begin with _ belong to the search engine.'],
    ['key: reason', 'Dead letters already have a field named reason'],
    ['key: 3', 'Name the key column.'],
    ['key: ""', 'A field has a name that is not blank.'],
    ['where: true', 'Write a condition as SQL in a text'],
    ['where: "  "', 'Write a condition as SQL in a text'],
    ['as: a.b', 'This is not one name as in SQL'],
    ['time_zone: 1', 'Write an IANA time zone'],
    ['joins: [LEFT JOIN regions]', 'Write a join as a map with left and on.'],
    ['joins: [{ left: LEFT JOIN regions AS region, on: "true" }]', 'Write only what is joined'],
    ['joins: [{ left: regions AS region }]', 'source.joins[0].on: This is missing. Write the join condition'],
    ['wher: x', 'Did you mean "where"?'],
    [
      'nothing_like_it: x',
      'Known here: table, as, key, changed_at, unusable_changed_at, joins, where, time_zone.',
    ],
  ])('refuses the source setting %s with the advice: %s', (setting, message) => {
    const key = setting.startsWith('key') ? '' : '  key: id\n';
    const faults = faultsOf(`source:\n  table: cities\n${key}  ${setting}\ndocument: { name: x }\n`);
    expect(faults).toEqual([expect.stringContaining(message)]);
  });

  test.each(['(SELECT 1)', 'cities; DROP TABLE cities', 'a b', '1cities', '"open', 'a..b', '', '3'])(
    'refuses the source table %s',
    (table) => {
      const faults = faultsOf(
        `source: { table: ${JSON.stringify(table)}, as: t, key: id }\ndocument: { name: x }\n`,
      );
      expect(faults).toEqual([expect.stringContaining('source.table: Write the name of a table or view')]);
    },
  );

  test.each([
    ['_id', 'belong to the search engine'],
    ['a.b', 'A field name holds no dot.'],
    ['id', 'The key is a field of every document already'],
    ['" "', 'A field has a name that is not blank.'],
    ['é'.repeat(128), 'at most 255 bytes'],
  ])('refuses the field name $0 with the advice $1', (name, message) => {
    expect(faultsOf(`source: { table: t, key: id }\ndocument: { ${name}: x }\n`)).toEqual([
      expect.stringContaining(message),
    ]);
  });

  test.each(['""', '"  "', '3', '[a]', 'null', 'true'])('refuses %s as the value of a field', (value) => {
    const faults = faultsOf(`source: { table: t, key: id }\ndocument: { field: ${value} }\n`);
    expect(faults).toEqual([
      expect.stringMatching(/:2:\d+ document\.field: Write the field's SQL in a text/),
    ]);
  });

  test.each([
    ['alias: -a', 'does not begin with - _ or +'],
    ['alias: "a b"', 'no blanks'],
    ['alias: "a*"', 'holds no "*"'],
    ['alias: ..', 'is not "." or ".."'],
    [`alias: ${'a'.repeat(201)}`, 'longer than 200 bytes'],
    ['name: a.b', "A definition's name is made of"],
    ['document: {}', 'A document has at least one field besides the key.'],
    ['unrepresentable: drop', 'Write null or dead_letter.'],
    ['max_document_bytes: 4MiB', 'at most 4194048'],
    ['max_document_bytes: 1 GiB', 'Write a size such as 1MiB'],
    ['max_document_bytes: 0', 'Write a size such as 1MiB'],
    ['dead_letters: { promote_limit: 9, stop_limit: 3 }', 'The run already stops at 3'],
    ['dead_letters: { promote_limit: -1 }', '0 or more'],
    ['index: { health: red }', 'Write yellow or green.'],
    ['index: { refresh_interval: soon }', 'Write a time such as 1s'],
    ['index: { forcemerge_segments: 0 }', 'Write 1 or more'],
    ['index: { settings: [] }', "Write the index's settings as a map."],
    ['pipeline: ""', 'Write the name of an ingest pipeline'],
    ['retain: -1', '0 or more'],
    ['retain: 1.5', '0 or more'],
  ])('refuses %s with the advice: %s', (setting, message) => {
    const text = setting.startsWith('document') ? SMALLEST.replace(/document.*\n/, '') : SMALLEST;
    expect(faultsOf(text + setting)).toEqual([expect.stringContaining(message)]);
  });

  test.each([
    'append_only.enabled: false',
    'derived_source: { enabled: false }',
    'mapping.source.mode: stored',
    'mode: lookup',
    'write.wait_for_active_shards: all',
    'hidden: null',
    'append_only: { enabled: null }',
  ])('accepts %s in index.settings, because it harms no build', (setting) => {
    expect(() =>
      parseDefinition(`${SMALLEST}index: { settings: { ${setting} } }`, 'cities.yaml'),
    ).not.toThrow();
  });

  test.each([
    'refresh_interval: 1s',
    'index.refresh_interval: 1s',
    'index: { number_of_replicas: 1 }',
    'auto_expand_replicas: 0-1',
    'blocks: { write: true }',
    'blocks.read_only: true',
    'default_pipeline: p',
    'final_pipeline: p',
    'index: { gc_deletes: 1h }',
    'version.created: 1',
    'append_only: { enabled: true }',
    'append_only.enabled: "true"',
    'index: { derived_source.enabled: true }',
    'index.mapping.source.mode: synthetic',
    'mapping: { source: { mode: disabled } }',
    'mode: time_series',
    'mode: logsdb',
    'routing_path: [a]',
    'time_series: { start_time: 2024-01-01T00:00:00Z }',
    'routing_partition_size: 2',
    'soft_deletes.enabled: false',
    'write.wait_for_active_shards: 2',
    'store.snapshot.repository_name: r',
  ])('refuses %s in index.settings', (setting) => {
    const faults = faultsOf(`${SMALLEST}index: { settings: { ${setting} } }`);
    expect(faults).toEqual([
      expect.stringMatching(
        /:3:\d+ index\.settings\..*: .*(beside settings|leave it out|own setting pipeline)/,
      ),
    ]);
  });

  test.each([
    ['', 'The file is empty.'],
    ['just words', 'Write a map of settings here.'],
    ['a: [1', 'a.yaml:1:6: This is not YAML 1.2 as expected here:'],
    ['a: 1\na: 2', ':2:1: This is not YAML 1.2 as expected here: Map keys must be unique.'],
    ['a: 1\n---\nb: 2', ':3:1: A second document begins here.'],
    ['%YAML 1.1\n---\na: 1', 'Remove the %YAML directive'],
    ['a: !tag 1', 'Unresolved tag: !tag.'],
    ['retain: 123456789012345678901', 'too large to be kept exactly'],
    ['retain: .inf', 'Infinity and NaN cannot be settings'],
    ['document: { __proto__: x }', '__proto__ cannot be a name here.'],
    [
      'a: &a [1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c]',
      'Excessive alias count',
    ],
    ['['.repeat(100_000), 'This is not YAML 1.2 as expected here'],
  ])('refuses an unsuitable file with the message $1', (text, message) => {
    const faults = faultsOf(text, 'a.yaml');
    expect(faults.join('\n')).toContain(message);
    expect(faults.length).toBeLessThanOrEqual(10);
  });

  test('refuses a file name that cannot name a definition, unless the file has a name inside', () => {
    expect(faultsOf(SMALLEST, 'My Cities.yaml')).toEqual([expect.stringContaining('write name: … here.')]);
    expect(faultsOf(`${SMALLEST}name: cities`, 'My Cities.yaml')).toEqual([]);
  });
});
