import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildDigest, programDigest, sourcesDigest } from '../../definition/build.ts';
import { describedDigest, digestDefinition, digestTypes } from '../../definition/digest.ts';
import { parseDefinition } from '../../definition/load.ts';

const TEXT = `
source: { table: cities, key: id }
document: { a: cities.a, b: cities.b }
index: { settings: { number_of_shards: 1, analysis: {} } }
`;

function digest(text: string): string {
  return digestDefinition(parseDefinition(text, 'cities.yaml').definition);
}

describe('the digest of a definition', () => {
  test('is 32 hexadecimal characters, and is the same for two texts with the same meaning', () => {
    expect(digest(TEXT)).toMatch(/^[0-9a-f]{32}$/);
    expect(digest(TEXT)).toBe(digest(`${TEXT}# a comment\nretain: 1\nalias: cities\n`));
    expect(digest(TEXT)).toBe(
      digest(TEXT.replace('number_of_shards: 1, analysis: {}', 'analysis: {}, number_of_shards: 1')),
    );
  });

  test.each([
    ['the SQL of a field', TEXT.replace('cities.a', 'cities.c')],
    ['the order of the fields', TEXT.replace('a: cities.a, b: cities.b', 'b: cities.b, a: cities.a')],
    ['the key', TEXT.replace('key: id', 'key: number')],
    ['the settings of the index', TEXT.replace('analysis: {}', 'analysis: { analyzer: {} }')],
    [
      'the mapping of a field',
      TEXT.replace('a: cities.a', 'a: { sql: cities.a, mapping: { type: keyword } }'),
    ],
    ['unrepresentable', `${TEXT}unrepresentable: dead_letter\n`],
    ['max_document_bytes', `${TEXT}max_document_bytes: 1000\n`],
    ['the fields kept in dead letters', `${TEXT}dead_letters: { keep_fields: [a] }\n`],
    ['the pipeline', `${TEXT}pipeline: clean\n`],
    ['the alias', `${TEXT}alias: other\n`],
  ])('changes with %s', (_, text) => {
    expect(digest(text)).not.toBe(digest(TEXT));
  });

  test.each(['retain: 7', 'dead_letters: { promote_limit: 3, stop_limit: 4 }'])(
    'does not change with %s',
    (setting) => {
      expect(digest(`${TEXT}${setting}\n`)).toBe(digest(TEXT));
    },
  );

  test.each(['number_of_replicas: 4', 'refresh_interval: 9s', 'forcemerge_segments: 1', 'health: yellow'])(
    'does not change with index.%s',
    (setting) => {
      expect(digest(TEXT.replace('index: {', `index: { ${setting},`))).toBe(digest(TEXT));
    },
  );

  test('is extended by the digest of the column types, which changes with a type', () => {
    const { definition } = parseDefinition(TEXT, 'cities.yaml');
    const described = {
      definition,
      fields: [
        { name: 'a', oid: 25 },
        { name: 'b', oid: 23 },
      ],
      changedAtOid: null,
    };
    const altered = {
      ...described,
      fields: [
        { name: 'a', oid: 25 },
        { name: 'b', oid: 20 },
      ],
    };
    expect(describedDigest(described)).toBe(`${digestDefinition(definition)}.${digestTypes(described)}`);
    expect(digestTypes(altered)).not.toBe(digestTypes(described));
    expect(digestTypes({ ...described, changedAtOid: 1184 })).not.toBe(digestTypes(described));
  });
});

describe('the digest of a build', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'build-'));
    await cp('definition', join(root, 'definition'), { recursive: true });
    await cp('worker', join(root, 'worker'), { recursive: true });
    await cp('package-lock.json', join(root, 'package-lock.json'));
  });
  afterEach(() => rm(root, { recursive: true }));

  test.each(['definition/load.ts', 'worker/targets/batch.ts', 'package-lock.json'])(
    'changes with %s',
    async (path) => {
      const before = await sourcesDigest(root);
      await writeFile(join(root, path), `${await readFile(join(root, path), 'utf8')}\n`);
      expect(await sourcesDigest(root)).not.toBe(before);
    },
  );

  test('changes with the name of a source file, and ignores files that are no source', async () => {
    const before = await sourcesDigest(root);
    await writeFile(join(root, 'worker', 'notes.md'), 'notes');
    expect(await sourcesDigest(root)).toBe(before);
    await writeFile(join(root, 'worker', 'more.ts'), '');
    expect(await sourcesDigest(root)).not.toBe(before);
  });

  test('changes with the definitions, and not with their order', async () => {
    const [one, two] = [
      parseDefinition(TEXT, 'a.yaml').definition,
      parseDefinition(TEXT, 'b.yaml').definition,
    ];
    const build = await buildDigest([one, two]);
    expect(build).toMatch(/^[0-9a-f]{32}\.[0-9a-f]{32}$/);
    expect(await buildDigest([two, one])).toBe(build);
    expect(await buildDigest([one])).not.toBe(build);
    for (const other of [build, await buildDigest([one]), await buildDigest([])])
      expect(other.split('.')[0]).toBe(await programDigest());
  });
});
