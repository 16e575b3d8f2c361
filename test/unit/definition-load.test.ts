import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Faults } from '../../definition/faults.ts';
import { loadDefinitions, loadDefinitionsWithPositions, parseDefinition } from '../../definition/load.ts';

const SMALLEST = 'source: { table: cities, key: id }\ndocument: { name: cities.name }\n';

describe('an index definition', () => {
  test('needs only a table, a key and a document, and has defaults for everything else', () => {
    expect(parseDefinition(SMALLEST, 'some/cities.yaml').definition).toEqual({
      name: 'cities',
      alias: 'cities',
      source: {
        table: 'cities',
        as: 'cities',
        key: 'id',
        changedAt: null,
        joins: [],
        where: null,
        unusableChangedAt: 'dead_letter',
        timeZone: 'UTC',
      },
      document: [{ name: 'name', sql: 'cities.name', mapping: null }],
      unrepresentable: 'null',
      maxDocumentBytes: 4 * 1024 * 1024 - 256,
      deadLetters: { promoteLimit: 0, stopLimit: 1000, keepFields: [] },
      promote: { shrinkLimit: null },
      index: {
        settings: {},
        numberOfReplicas: 1,
        refreshInterval: '1s',
        forcemergeSegments: null,
        health: 'green',
      },
      pipeline: null,
      retain: 1,
    });
  });

  test('reads every setting that it can have', () => {
    const text = `
      name: towns
      alias: places
      source:
        table: geo."Cities"
        as: city
        key: id
        changed_at: city.updated_at
        unusable_changed_at: lowest_version
        joins:
          - left: regions AS region
            on: region.code = city.region
        where: city.population > 0
        time_zone: Europe/Berlin
      document:
        name: { sql: city.name, mapping: { type: text, fields: { raw: { type: keyword } } } }
        region: region.name
        indexed_at: { sql: now(), compare: false }
      unrepresentable: dead_letter
      max_document_bytes: 1MiB
      dead_letters: { promote_limit: 5, stop_limit: 50, keep_fields: [region] }
      index:
        settings: { number_of_shards: 3, analysis: { analyzer: {} } }
        number_of_replicas: 2
        refresh_interval: 30s
        forcemerge_segments: 1
        health: yellow
      pipeline: clean
      retain: 3`;
    expect(parseDefinition(text, 'any.yaml').definition).toEqual({
      name: 'towns',
      alias: 'places',
      source: {
        table: 'geo."Cities"',
        as: 'city',
        key: 'id',
        changedAt: 'city.updated_at',
        unusableChangedAt: 'lowest_version',
        joins: [{ left: 'regions AS region', on: 'region.code = city.region' }],
        where: 'city.population > 0',
        timeZone: 'Europe/Berlin',
      },
      document: [
        { name: 'name', sql: 'city.name', mapping: { type: 'text', fields: { raw: { type: 'keyword' } } } },
        { name: 'region', sql: 'region.name', mapping: null },
        { name: 'indexed_at', sql: 'now()', mapping: null, compare: false },
      ],
      unrepresentable: 'dead_letter',
      maxDocumentBytes: 1024 * 1024,
      deadLetters: { promoteLimit: 5, stopLimit: 50, keepFields: ['region'] },
      promote: { shrinkLimit: null },
      index: {
        settings: { number_of_shards: 3, analysis: { analyzer: {} } },
        numberOfReplicas: 2,
        refreshInterval: '30s',
        forcemergeSegments: 1,
        health: 'yellow',
      },
      pipeline: 'clean',
      retain: 3,
    });
  });

  test.each([
    ['public.cities', 'cities'],
    ['"Weird Table"', '"Weird Table"'],
    ['Public.Cities', 'cities'],
    ['a."b""c"', '"b""c"'],
  ])('refers to its table %s by the alias %s', (table, as) => {
    const text = `source: { table: '${table}', key: id }\ndocument: { name: x }`;
    expect(parseDefinition(text, 'a.yaml').definition.source.as).toBe(as);
  });

  test.each(['null', '"null"', '~', ''])('takes unrepresentable: %s as null', (value) => {
    expect(parseDefinition(`${SMALLEST}unrepresentable: ${value}`, 'a.yaml').definition.unrepresentable).toBe(
      'null',
    );
  });

  test.each([
    ['1', 1],
    ['512KiB', 512 * 1024],
    ['1.5 MiB', 1.5 * 1024 * 1024],
    ['2MB', 2_000_000],
    ['4194048', 4_194_048],
  ])('reads max_document_bytes: %s as %i bytes', (written, bytes) => {
    expect(
      parseDefinition(`${SMALLEST}max_document_bytes: ${written}`, 'a.yaml').definition.maxDocumentBytes,
    ).toBe(bytes);
  });
});

describe('the position of a fault in a definition', () => {
  test.each([
    ['plain', 'city.name', 10],
    ['double quotes', '"city.name"', 11],
    ['single quotes', "'city.name'", 11],
  ])('is exact inside a text in %s', (_name, written, column) => {
    const { positionOf } = parseDefinition(
      `source: { table: t, key: id }\ndocument:\n  field: ${written}\n`,
      'a.yaml',
    );
    expect(positionOf(['document', 'field', 'sql'], 0)).toEqual({ file: 'a.yaml', line: 3, column: 10 });
    expect(positionOf(['document', 'field', 'sql'], 5)).toEqual({
      file: 'a.yaml',
      line: 3,
      column: column + 5,
    });
  });

  test('is exact inside a block text', () => {
    const text = 'source: { table: t, key: id }\ndocument:\n  field: |\n\n    CASE\n      WHEN x\n    END\n';
    const { definition, positionOf } = parseDefinition(text, 'a.yaml');
    const offset = definition.document[0]?.sql.indexOf('x') ?? 0;
    expect(positionOf(['document', 'field', 'sql'], offset)).toEqual({ file: 'a.yaml', line: 6, column: 12 });
  });

  test('is the start of the text where escapes make columns differ', () => {
    const text = 'source: { table: t, key: id }\ndocument:\n  field: "city\\x2ename"\n';
    expect(parseDefinition(text, 'a.yaml').positionOf(['document', 'field', 'sql'], 5)).toMatchObject({
      line: 3,
      column: 10,
    });
  });
});

describe('loading definitions from a path', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'definitions-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('reads the YAML files of a folder in the order of their names, and ignores other files and folders', async () => {
    await writeFile(join(folder, 'b.yml'), SMALLEST);
    await writeFile(join(folder, 'a.yaml'), SMALLEST);
    await writeFile(join(folder, 'README.md'), 'not YAML: [');
    await mkdir(join(folder, 'deeper'));
    expect((await loadDefinitions(folder)).map(({ name }) => name)).toEqual(['a', 'b']);
    expect((await loadDefinitions(join(folder, 'b.yml'))).map(({ name }) => name)).toEqual(['b']);
  });

  test('refuses a name or an alias that two definitions use', async () => {
    await writeFile(join(folder, 'a.yaml'), SMALLEST);
    await writeFile(join(folder, 'b.yaml'), `${SMALLEST}name: a\n`);
    await writeFile(join(folder, 'c.yaml'), `${SMALLEST}alias: a\n`);
    const error = await loadDefinitionsWithPositions(folder).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(Faults);
    expect(String(error).split('\n')).toEqual([
      expect.stringContaining('b.yaml:3:7 name: '),
      expect.stringContaining('b.yaml:1:1 alias: '),
      expect.stringContaining('c.yaml:3:8 alias: '),
    ]);
  });

  test('names every faulty file at once', async () => {
    await writeFile(join(folder, 'a.yaml'), 'retain: [');
    await writeFile(join(folder, 'b.yaml'), Buffer.from([0xff, 0xfe]));
    await writeFile(join(folder, 'c.yaml'), `${SMALLEST}retain: x\n`);
    await writeFile(join(folder, 'd.yaml'), ' '.repeat(1024 * 1024 + 1));
    const error = String(await loadDefinitions(folder).catch((error: unknown) => error));
    expect(error).toContain('a.yaml:1:10: This is not YAML 1.2');
    expect(error).toContain('b.yaml: This is not UTF-8');
    expect(error).toContain('c.yaml:3:9 retain: ');
    expect(error).toContain('d.yaml: This is larger than 1 MiB');
  });

  test('refuses a folder without definitions, and a path that does not exist', async () => {
    await expect(loadDefinitions(folder)).rejects.toThrow('This folder holds no index definition');
    await expect(loadDefinitions(join(folder, 'gone'))).rejects.toThrow(
      'gone: There is no such file or folder.',
    );
  });
});
