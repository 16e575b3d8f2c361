import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Faults } from '../../definition/faults.ts';
import { autoScalingSection } from '../../orchestrator/fleet/auto-scaling/settings.ts';
import { loadSettings, parseSettings, type Settings } from '../../orchestrator/settings.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'settings-'));
});
afterEach(() => rm(folder, { recursive: true }));

const GOOD =
  'fleet: books\ndefinitions: books.yaml\nsource:\n  url: postgres://reader@db/shop\ntarget:\n  url: https://search:9200\n';

const REGION = 'aws:\n  region: eu-central-1\n';

async function read(text: string): Promise<Settings> {
  const file = join(folder, 'mine.yaml');
  await writeFile(file, text);
  return loadSettings({ settings: file }, {}, folder);
}

describe('the orchestrator’s settings', () => {
  it('come from reindex-fleet.yaml in the working folder, with paths relative to it', async () => {
    await writeFile(join(folder, 'reindex-fleet.yaml'), GOOD);
    const settings = await loadSettings({}, {}, folder);
    expect(settings).toMatchObject({
      fleet: 'books',
      definitions: join(folder, 'books.yaml'),
      workers: { count: 4 },
      validate: { compare: 'keys', concurrency: 4 },
    });
  });

  it('default to the embedded example', async () => {
    const settings = await loadSettings({}, {}, folder);
    expect(settings).toMatchObject({
      fleet: 'cities',
      source: { url: 'embedded' },
      target: { url: 'embedded' },
    });
  });

  it('come from flags before the environment, and from the environment before the file', async () => {
    const file = join(folder, 'mine.yaml');
    await writeFile(file, `${GOOD}workers:\n  count: 2\n`);
    const environment = { REINDEX_WORKERS: '3', REINDEX_FLEET: 'from-environment' };
    expect((await loadSettings({ settings: file }, environment, folder)).workers.count).toBe(3);
    const settings = await loadSettings({ settings: file, workers: '7' }, environment, folder);
    expect(settings).toMatchObject({ fleet: 'from-environment', workers: { count: 7 } });
  });

  it('are refused with every fault at once, each with its place or its origin', async () => {
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
  ])('are refused when the file is %s, and the refusal names the file', async (_, text) => {
    const file = join(folder, 'odd.yaml');
    await writeFile(file, text);
    await expect(loadSettings({ settings: file }, {}, folder)).rejects.toThrow(/odd\.yaml/);
  });

  it('accept an Auto Scaling group, and name what is wrong or missing in its section', async () => {
    const { aws, price, backend } = await read(
      `${GOOD}${REGION}auto_scaling:\n  group: books\n  token_parameter: /books/token\nprice:\n  per_hour: 0.17\n`,
    );
    expect(aws).toEqual({ region: 'eu-central-1', profile: null, worker_parameters: null });
    expect(price).toEqual({ per_hour: 0.17, currency: 'USD' });
    expect(backend.traits.kind).toBe('auto-scaling');
    expect(autoScalingSection.parse({ group: 'books', token_parameter: '/books/token' })).toMatchObject({
      group: 'books',
      worker_port: 8003,
    });

    const error = read(
      `${GOOD}aws:\n  region: Frankfurt\nprice:\n  per_hour: -1\nauto_scaling:\n  group: books\n  grup: x\n`,
    );
    await expect(error).rejects.toThrow(
      /mine\.yaml:8:11 aws\.region: This is no region, such as eu-central-1\.$/m,
    );
    await expect(error).rejects.toThrow(/auto_scaling\.token_parameter: This is missing\.$/m);
    await expect(error).rejects.toThrow(/price\.per_hour: More than 0/);
    await expect(error).rejects.toThrow(/auto_scaling\.grup: .*Did you mean "group"/);
  });

  it('choose a local fleet when no fleet is named, with or without a section for it', async () => {
    expect((await read(GOOD)).backend.traits.kind).toBe('local');
    expect((await read(`${GOOD}local:\n  poll_interval_ms: 50\n`)).backend.traits.kind).toBe('local');
    await expect(read(`${GOOD}local:\n  poll_interval_ms: 0\n`)).rejects.toThrow(
      /mine\.yaml:8:21 local\.poll_interval_ms: A whole number of milliseconds/,
    );
  });

  it('are refused when two of them do not go together', async () => {
    const embedded = GOOD.replace('postgres://reader@db/shop', 'embedded').replace(
      'https://search:9200',
      'embedded',
    );
    const group = 'auto_scaling:\n  group: books\n  token_parameter: /books/token\n';
    const error = read(`${embedded}workers:\n  minimum: 5\n${group}`);
    await expect(error).rejects.toThrow(/mine\.yaml:8:12 workers\.minimum: At most workers\.count, 4\./);
    await expect(error).rejects.toThrow(/source\.url: Workers on AWS cannot reach an embedded service/);
    await expect(error).rejects.toThrow(/target\.url: Workers on AWS cannot reach an embedded service/);
    await expect(error).rejects.toThrow(/mine\.yaml:9:1 auto_scaling: .* write it, e\.g\. aws: \{ region/);
  });

  it('are refused with two kinds of fleet, and with an unknown kind', async () => {
    await expect(read(`${GOOD}local: {}\nauto_scaling:\n  group: books\n`)).rejects.toThrow(
      /mine\.yaml:8:1 auto_scaling: local and auto_scaling both say where workers run: keep one of them\.$/m,
    );
    await expect(read(`${GOOD}nomad:\n  job: books\n`)).rejects.toThrow(
      /mine\.yaml:7:1 nomad: This is not a setting\. .* One of these sections says where workers run: local, auto_scaling\.$/m,
    );
    await expect(read(`${GOOD}auto_scaling:\n`)).rejects.toThrow(
      /auto_scaling: Write a map of settings here/,
    );
  });

  it.each([
    ['aws.group', 'auto_scaling.group'],
    ['aws.image_parameter', 'auto_scaling.image_parameter'],
    ['aws.token_parameter', 'auto_scaling.token_parameter'],
    ['aws.worker_port', 'auto_scaling.worker_port'],
    ['aws.poll_interval_ms', 'auto_scaling.poll_interval_ms'],
    ['aws.ready_timeout_ms', 'auto_scaling.ready_timeout_ms'],
    ['aws.capacity_timeout_ms', 'auto_scaling.capacity_timeout_ms'],
    ['aws.zero_quiet_ms', 'auto_scaling.zero_quiet_ms'],
    ['aws.sweep_grace_ms', 'auto_scaling.sweep_grace_ms'],
    ['aws.price_per_hour', 'price.per_hour'],
    ['aws.currency', 'price.currency'],
    [
      'aws.journal_bucket',
      'journal.url (s3://bucket/prefix; the prefix was reindex-fleet where aws.journal_prefix named no other)',
    ],
    ['aws.journal_prefix', 'journal.url (s3://bucket/prefix)'],
    ['journal.directory', 'journal.url'],
    ['workers.poll_interval_ms', 'local.poll_interval_ms'],
    ['workers.ready_timeout_ms', 'local.ready_timeout_ms'],
    ['workers.lease_ms', 'local.lease_ms'],
  ])(
    'are refused when %s of an earlier version is set, and the refusal names its successor %s',
    async (former, now) => {
      const [section, name] = former.split('.');
      const error = read(`${GOOD}${section}:\n  ${name}: 1\nranges:\n  count: none\n`);
      await expect(error).rejects.toThrow(`mine.yaml:8:3 ${former}: ${former} is now ${now}.`);
      await expect(error).rejects.toThrow(/ranges\.count: A whole number/);
    },
  );

  it('accept a journal in a folder relative to the file or in a bucket, with any fleet', async () => {
    const at = async (url: string, more = ''): Promise<string | null> =>
      (await read(`${GOOD}${more}journal:\n  url: ${url}\n`)).journal.url;
    const group = `${REGION}auto_scaling:\n  group: books\n  token_parameter: /books/token\n`;
    expect(await at('here')).toBe(join(folder, 'here'));
    expect(await at('here', group)).toBe(join(folder, 'here'));
    expect(await at('s3://books-journal/fleets', REGION)).toBe('s3://books-journal/fleets');
    expect(await at('s3://books-journal/fleets', group)).toBe('s3://books-journal/fleets');
    const above = await loadSettings(
      { settings: join(folder, 'mine.yaml') },
      { REINDEX_JOURNAL: 's3://a-b-c/d' },
      '/',
    );
    expect(above.journal.url).toBe('s3://a-b-c/d');
    const flag = await loadSettings(
      { settings: join(folder, 'mine.yaml'), journal: 'there' },
      {},
      '/elsewhere',
    );
    expect(flag.journal.url).toBe('/elsewhere/there');
  });

  it.each([
    ['s3://books-journal', '', /mine\.yaml:8:8 journal\.url: A journal in S3 needs a region: write it/],
    [
      'gs://books',
      '',
      /journal\.url: A journal cannot be in gs:\/\/: write a folder or s3:\/\/bucket\/prefix\./,
    ],
    [
      's3://books-journal',
      'aws:\n  profile: books\n',
      /mine\.yaml:9:1 aws\.region: This is missing\. Write a region, such as eu-central-1\./,
    ],
    ['s3://Books', REGION, /journal\.url: This names no bucket/],
    ['s3://books/a?b', REGION, /journal\.url: The prefix behind the bucket/],
  ])('are refused with the journal %s and the further settings %j', async (url, more, words) => {
    await expect(read(`${GOOD}journal:\n  url: ${url}\n${more}`)).rejects.toThrow(words);
  });

  it('are refused when the file does not exist, and the refusal names the file', async () => {
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

  it.each([
    [{ url: 'http://search:9200', username: 'indexer' }, {}, 'target.username'],
    [{ url: 'http://indexer:pw@search:9200' }, {}, 'the user in target.url'],
    [{ url: 'http://search:9200' }, { REINDEX_TARGET_PASSWORD: 'hush' }, 'REINDEX_TARGET_PASSWORD'],
    [{ url: 'http://search:9200' }, { REINDEX_TARGET_USERNAME: 'indexer' }, 'target.username'],
  ])('are refused with an API key beside %j and the variables %j', async (target, variables, name) => {
    const written = { fleet: 'books', definitions: 'b.yaml', source: { url: 'postgres://db/shop' }, target };
    await writeFile(join(folder, 'reindex-fleet.yaml'), JSON.stringify(written));
    const loaded = loadSettings({}, { REINDEX_TARGET_API_KEY: 'key', ...variables }, folder);
    await expect(loaded).rejects.toThrow(`${name} and REINDEX_TARGET_API_KEY are both set`);
  });

  it('name credentials that exclude each other together with every other fault', async () => {
    await writeFile(join(folder, 'reindex-fleet.yaml'), `${GOOD}fleets: 1\n`);
    const loaded = loadSettings({ targetUsername: 'indexer' }, { REINDEX_TARGET_API_KEY: 'key' }, folder);
    await expect(loaded).rejects.toThrow(/fleets[^]*--target-username.*are both set/);
  });

  it('may come from a text without a file: then nothing overrides them, and paths stay as written', () => {
    const written = {
      fleet: 'books',
      definitions: 'books.yaml',
      source: { url: 'postgres://reader@db/shop' },
      target: { url: 'https://search:9200' },
      journal: { url: 'journal' },
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
