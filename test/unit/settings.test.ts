import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Faults } from '../../definition/faults.ts';
import { loadSettings, parseSettings } from '../../orchestrator/settings.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'settings-'));
});
afterEach(() => rm(folder, { recursive: true }));

const GOOD =
  'fleet: books\ndefinitions: books.yaml\nsource:\n  url: postgres://reader@db/shop\ntarget:\n  url: https://search:9200\n';

describe('settings', () => {
  it('come from reindex-fleet.yaml in the working folder, with paths beside it', async () => {
    await writeFile(join(folder, 'reindex-fleet.yaml'), GOOD);
    const settings = await loadSettings({}, {}, folder);
    expect(settings).toMatchObject({
      fleet: 'books',
      definitions: join(folder, 'books.yaml'),
      workers: { count: 4 },
      validate: { compare: 'keys', concurrency: 4 },
    });
  });

  it('fall back to the embedded example', async () => {
    const settings = await loadSettings({}, {}, folder);
    expect(settings).toMatchObject({
      fleet: 'cities',
      source: { url: 'embedded' },
      target: { url: 'embedded' },
    });
  });

  it('take flags over environment over the file', async () => {
    const file = join(folder, 'mine.yaml');
    await writeFile(file, `${GOOD}workers:\n  count: 2\n`);
    const environment = { REINDEX_WORKERS: '3', REINDEX_FLEET: 'from-environment' };
    expect((await loadSettings({ settings: file }, environment, folder)).workers.count).toBe(3);
    const settings = await loadSettings({ settings: file, workers: '7' }, environment, folder);
    expect(settings).toMatchObject({ fleet: 'from-environment', workers: { count: 7 } });
  });

  it('name every fault at once, each with its place or its origin', async () => {
    const file = join(folder, 'bad.yaml');
    await writeFile(
      file,
      'fleet: Bad Name\ndefinitions: x\nsource:\n  ulr: postgres://db/x\ntarget:\n  url: ftp://x\nvalidate:\n  compare: nothing\n  concurrency: 0\n',
    );
    const error = await loadSettings({ settings: file, workers: 'many' }, {}, folder).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(Faults);
    const message = String(error instanceof Error ? error.message : error);
    expect(message).toMatch(/bad\.yaml:1:8 fleet: /);
    expect(message).toMatch(/bad\.yaml:4:3 source\.ulr: .*Did you mean "url"/);
    expect(message).toMatch(/source\.url: This is missing\.$/m);
    expect(message).toMatch(/bad\.yaml:6:8 target\.url: /);
    expect(message).toMatch(/bad\.yaml:8:12 validate\.compare: "keys" or "counts"\./);
    expect(message).toMatch(/bad\.yaml:9:16 validate\.concurrency: A whole number from 1 to 16\./);
    expect(message).toMatch(/--workers workers\.count: A whole number/);
  });

  it.each([
    ['not YAML', 'fleet: [unclosed'],
    ['empty', ''],
    ['a list', '- fleet'],
  ])('refuse a file that is %s, by name', async (_, text) => {
    const file = join(folder, 'odd.yaml');
    await writeFile(file, text);
    await expect(loadSettings({ settings: file }, {}, folder)).rejects.toThrow(/odd\.yaml/);
  });

  it('know an Auto Scaling group, and name what is wrong or missing of it', async () => {
    const file = join(folder, 'aws.yaml');
    const group = 'region: eu-central-1\n  group: books\n  token_parameter: /books/token';
    await writeFile(file, `${GOOD}aws:\n  ${group}\n`);
    const { aws } = await loadSettings({ settings: file }, {}, folder);
    expect(aws).toMatchObject({ group: 'books', worker_port: 8003, price_per_hour: null, currency: 'USD' });

    await writeFile(
      file,
      `${GOOD}aws:\n  region: Frankfurt\n  group: books\n  price_per_hour: -1\n  grup: x\n`,
    );
    const error = loadSettings({ settings: file }, {}, folder);
    await expect(error).rejects.toThrow(
      /aws\.yaml:8:11 aws\.region: This is no region, such as eu-central-1\.$/m,
    );
    await expect(error).rejects.toThrow(/aws\.token_parameter: This is missing\.$/m);
    await expect(error).rejects.toThrow(/aws\.price_per_hour: More than 0/);
    await expect(error).rejects.toThrow(/aws\.grup: .*Did you mean "group"/);
  });

  it('refuse what does not go together', async () => {
    const file = join(folder, 'odd.yaml');
    const group = 'region: eu-central-1\n  group: books\n  token_parameter: /books/token';
    const embedded = GOOD.replace('postgres://reader@db/shop', 'embedded').replace(
      'https://search:9200',
      'embedded',
    );
    await writeFile(file, `${embedded}workers:\n  minimum: 5\naws:\n  ${group}\n`);
    const error = loadSettings({ settings: file }, {}, folder);
    await expect(error).rejects.toThrow(/odd\.yaml:8:12 workers\.minimum: At most workers\.count, 4\./);
    await expect(error).rejects.toThrow(/source\.url: Workers on AWS cannot reach an embedded service/);
    await expect(error).rejects.toThrow(/target\.url: Workers on AWS cannot reach an embedded service/);
  });

  it('refuse a file that is not there, by name', async () => {
    await expect(loadSettings({ settings: 'absent.yaml' }, {}, folder)).rejects.toThrow(
      /absent\.yaml.*cannot be read/,
    );
  });

  it('keep secrets from the environment apart', async () => {
    await writeFile(join(folder, 'reindex-fleet.yaml'), GOOD);
    const { secrets } = await loadSettings(
      {},
      { REINDEX_SOURCE_PASSWORD: 'hush', REINDEX_TARGET_API_KEY: 'key' },
      folder,
    );
    expect(secrets).toEqual({ sourcePassword: 'hush', targetPassword: null, targetApiKey: 'key' });
  });

  it('may come from a text that is no file: nothing stands above it, and its paths stay as written', () => {
    const written = {
      fleet: 'books',
      definitions: 'books.yaml',
      source: { url: 'postgres://reader@db/shop' },
      target: { url: 'https://search:9200' },
      journal: { directory: 'journal' },
    };
    expect(parseSettings(JSON.stringify(written), 'THE_VARIABLE')).toMatchObject({
      ...written,
      file: 'THE_VARIABLE',
      workers: { count: 4 },
      secrets: { sourcePassword: null, targetPassword: null, targetApiKey: null },
    });
    expect(() => parseSettings('{"fleet": "Bad Name"}', 'THE_VARIABLE')).toThrow(
      /^THE_VARIABLE:1:1 definitions: This is missing\.[^]*THE_VARIABLE:1:11 fleet: Small letters/,
    );
  });
});
