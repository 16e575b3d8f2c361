import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { settingsTables, withTables } from '../../docs/making/settings-page.ts';
import { parseDefinition } from '../../definition/load.ts';
import { messageOf } from '../../orchestrator/errors.ts';
import { parseSettings } from '../../orchestrator/settings.ts';
import { tryProgram } from '../infra/program-run.ts';

const read = (page: string) => readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8');

/** The least that the orchestrator has to be told, for pages that show some sections alone. */
const NEEDED = {
  fleet: 'books',
  definitions: 'books.yaml',
  source: { url: 'postgres://reader@db.internal/shop' },
  target: { url: 'https://search.internal:9200' },
};

/** Those blocks that are settings, by a section that only settings have. */
function settingsIn(page: string): object[] {
  return blocksWith('workers', page).map((text) => parse(text) as object);
}

/** Blocks of YAML that have a section. */
function blocksWith(section: string, page: string): string[] {
  return [...read(page).matchAll(/^```yaml\n(.*?)^```/gms)]
    .map(([, text = '']) => text)
    .filter((text) => section in (parse(text) as object));
}

describe('the settings that a page shows', () => {
  it.each(['README.md', 'docs/settings.md', 'examples/aws/README.md'])(
    'in %s are accepted by the orchestrator',
    (page) => {
      const [shown, ...others] = settingsIn(page);
      expect(others).toEqual([]);
      const written = { ...NEEDED, ...shown };
      expect(parseSettings(JSON.stringify(written), page)).toMatchObject({ fleet: 'books' });
    },
  );

  it('for a first stack are accepted by the stack, except for ids that a reader fills in', async () => {
    const [, command = ''] = /config set-all (.*?)\nnpm/s.exec(read('docs/aws.md')) ?? [];
    const paths = [...command.matchAll(/--plaintext '?([a-z_.]+)(?:\[\d\])?=/g)].map(([, path = '']) => path);
    expect(paths).toContain('network.cluster.let_workers_in');
    const given = paths.reduce<object>((above, path) => withSetting(above, path.split('.')), {});
    const { error } = await tryProgram({ ...given });
    const faults = messageOf(error?.reason).split('\n');
    expect(faults[0]).toContain('is not right');
    expect(faults.filter((fault) => fault.includes('This is not a setting.'))).toEqual([]);
  });
});

describe('the index definition that a page shows', () => {
  it.each(['README.md', 'docs/settings.md'])('in %s is accepted by a run', (page) => {
    const [shown = '', ...others] = blocksWith('document', page);
    expect(others).toEqual([]);
    expect(parseDefinition(shown, page).definition).toMatchObject({ name: 'books', alias: 'books' });
  });
});

describe('the tables of docs/settings.md', () => {
  const page = read('docs/settings.md');
  const tables = Object.entries(settingsTables());

  it('equal what the schemas say, or else `npm run docs:settings` must be run', () => {
    expect(page).toBe(withTables(page));
  });

  it.each(tables)('list each setting of %s once, with description and bounds', (_, rows) => {
    const keys = rows.map(({ key }) => key);
    expect(keys).toEqual([...new Set(keys)]);
    expect(rows.filter(({ description, bounds }) => description === '' || bounds === '')).toEqual([]);
  });

  it('contain settings of each schema with default and bounds', () => {
    const rows = tables.map(([, table]) => table);
    const find = (wanted: string) => rows.flat().find(({ key }) => key === wanted);
    expect(find('journal.keep_days')).toMatchObject({
      fallback: '90',
      bounds: 'A whole number of days from 1 to 36500.',
    });
    expect(find('aws.region')).toMatchObject({ fallback: null, bounds: 'A region, such as eu-central-1.' });
    expect(find('local.poll_interval_ms')).toMatchObject({ fallback: '250' });
    expect(find('auto_scaling.group')).toMatchObject({ fallback: null, bounds: 'A text. Not empty.' });
    expect(find('network.database.let_workers_in')).toMatchObject({
      fallback: 'false',
      bounds: 'true or false.',
    });
  });

  it('are found to be wrong when they differ from the schemas', () => {
    expect(withTables(page.replace('| `90` |', '| `91` |'))).toBe(page);
    expect(() => withTables('')).toThrow('no place for the table "run"');
  });
});

/** With something at its place, which no setting may be. */
function withSetting(above: object, [name = '', ...rest]: readonly string[]): object {
  const below: unknown = Reflect.get(above, name);
  return { ...above, [name]: rest.length === 0 ? [] : withSetting(Object(below), rest) };
}
