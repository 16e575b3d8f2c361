import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { openFileStore } from '../../orchestrator/journal/file-store.ts';
import type { JournalStore } from '../../orchestrator/journal/store.ts';
import { VirtualJournal } from '../simulation/journal.ts';
import { createTestBucket, openTestStore } from '../aws/test-bucket.ts';
import { MemoryStore } from '../support/memory-store.ts';

/** What every journal store promises. Each backend runs through this suite. */
const shared = new Map<string, JournalStore>();
const awsUrl = inject('awsUrl');
type Open = (folder: string) => JournalStore | Promise<JournalStore>;
const BACKENDS: Record<string, Open> = {
  files: openFileStore,
  ...(awsUrl === null ? {} : { 'a bucket': await bucketOf(awsUrl) }),
  memory: (folder) => sharedBy(folder, () => new MemoryStore()),
  'the journal of the simulation': (folder) =>
    sharedBy(folder, () => new VirtualJournal(NO_FAULTS, UNWATCHED)),
};
const UNWATCHED = { written: () => {}, removed: () => {}, abandoned: () => {} };
const NO_FAULTS = { nowMs: () => 0, strikes: () => false, guarded: (work: () => void) => work() };

async function bucketOf(url: string): Promise<Open> {
  const bucket = await createTestBucket(url);
  return (folder) => openTestStore(url, { bucket, prefix: `journals${folder}` });
}

/** Opens one store for a folder, however often the folder is opened. */
function sharedBy(folder: string, make: () => JournalStore): JournalStore {
  const store = shared.get(folder) ?? make();
  shared.set(folder, store);
  return store;
}

describe.each(Object.entries(BACKENDS))('the journal store of %s', (_, open) => {
  let folder: string;
  let store: JournalStore;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'journal-'));
    store = await open(folder);
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('creates a name once and keeps the first body', async () => {
    expect(await store.create('a/1', 'first')).toBe('created');
    expect(await store.create('a/1', 'second')).toBe('exists');
    expect(await store.read('a/1')).toBe('first');
  });

  it('has exactly one winner among many creators at once', async () => {
    const stores: JournalStore[] = [];
    for (let count = 0; count < 32; count += 1) stores.push(await open(folder));
    const results = await Promise.all(stores.map((each, i) => each.create('race/1', `body ${i}`)));
    expect(results.filter((result) => result === 'created')).toHaveLength(1);
    expect(await store.read('race/1')).toBe(`body ${results.indexOf('created')}`);
  });

  it('reads null for a name that does not exist', async () => {
    expect(await store.read('nothing/here')).toBeNull();
    expect(await store.list('nothing')).toEqual([]);
  });

  it('lists a folder in order, and nothing of other folders', async () => {
    for (const name of ['n/000002', 'n/000010', 'n/000001', 'm/000003']) await store.create(name, '');
    expect(await store.list('n')).toEqual(['n/000001', 'n/000002', 'n/000010']);
  });

  it('lists sub-folders by their names, beside objects', async () => {
    for (const name of ['n/b/1', 'n/b/2', 'n/c/d/1', 'n/a']) await store.create(name, '');
    expect(await store.list('n')).toEqual(['n/a', 'n/b', 'n/c']);
  });

  it('lists more names than a bucket returns at once', async () => {
    const names = Array.from({ length: 1_003 }, (_, i) => `n/${String(i).padStart(4, '0')}`);
    await inTurns(names, (name) => store.create(name, ''));
    expect(await store.list('n')).toEqual(names);
    expect(await store.list('n', { after: 'n/0001', limit: 1_000 })).toEqual(names.slice(2, 1_002));
    expect(await store.list('n', { limit: 1_001 })).toEqual(names.slice(0, 1_001));
  });

  it('lists only the requested part of a folder', async () => {
    for (const number of [1, 2, 3, 4]) await store.create(`n/${number}`, '');
    expect(await store.list('n', { after: 'n/2' })).toEqual(['n/3', 'n/4']);
    expect(await store.list('n', { after: 'n/0', limit: 2 })).toEqual(['n/1', 'n/2']);
    expect(await store.list('n', { after: 'n/4' })).toEqual([]);
  });

  it('removes a name, and accepts that a name does not exist', async () => {
    await store.create('n/1', 'x');
    await store.remove('n/1');
    await store.remove('n/1');
    expect(await store.read('n/1')).toBeNull();
    expect(await store.list('n')).toEqual([]);
    expect(await store.create('n/1', 'y')).toBe('created');
  });

  it('keeps every character of a body', async () => {
    const body = 'ü €, \u0000 and 👋\r\n';
    await store.create('n/1', body);
    expect(await store.read('n/1')).toBe(body);
  });

  it('replaces a body as a whole', async () => {
    await store.create('lock/1', 'a long first body');
    await store.replace('lock/1', 'short');
    expect(await store.read('lock/1')).toBe('short');
  });
});

/** Works on twenty items at a time. */
async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const left = [...items];
  const workOn = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: 20 }, workOn));
}

describe('the journal store of files in a folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'journal-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('never creates its folder again after it was deleted, because its contents are gone', async () => {
    const store = openFileStore(folder);
    await store.create('n/1', 'x');
    await rm(folder, { recursive: true });

    const gone = /the journal cannot be written: .*\/n\/2: .*the folder existed and is gone: put it back/;
    await expect(store.create('n/2', 'y')).rejects.toThrow(gone);
    await expect(store.replace('n/1', 'z')).rejects.toThrow(/the folder existed and is gone/);
    await expect(store.list('n')).rejects.toThrow(/the journal cannot be read: .*\/n: .*is gone/);
    expect(existsSync(folder)).toBe(false);
  });

  it('names a file that stands where a folder belongs, and leaves no draft', async () => {
    await writeFile(join(folder, 'n'), '');
    const store = openFileStore(folder);
    const inTheWay = /cannot be (read|written): .*\/n.*a file in the place of a folder: correct journal.url/;
    await expect(store.create('n/1', 'x')).rejects.toThrow(inTheWay);
    await expect(store.list('n')).rejects.toThrow(inTheWay);
    expect(await readdir(folder)).toEqual(['n']);
  });

  it('leaves no drafts behind and ignores those of a crashed process', async () => {
    const store = openFileStore(folder);
    await store.create('n/1', 'x');
    await store.create('n/1', 'y');
    await store.replace('n/1', 'z');
    expect(await readdir(join(folder, 'n'))).toEqual(['1']);
    await writeFile(join(folder, 'n', '.draft-left-over'), 'half');
    expect(await store.list('n')).toEqual(['n/1']);
  });
});
