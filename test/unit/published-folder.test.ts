import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { publishFolder } from '../../embedded/published-folder.ts';

let cache: string;
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'reindex-fleet-cache-'));
  onTestFinished(() => rm(cache, { recursive: true }));
});

/** Makes a folder with one file that says who made it. */
function maker(name: string): (work: string) => Promise<string> {
  return async (work) => {
    await mkdir(join(work, 'made'));
    await writeFile(join(work, 'made', 'by'), name);
    return join(work, 'made');
  };
}

test('publishing a folder from two processes at once keeps one result and no leftovers', async () => {
  const target = join(cache, 'target');
  await Promise.all(['one', 'other'].map((name) => publishFolder(target, maker(name))));
  expect(['one', 'other']).toContain(await readFile(join(target, 'by'), 'utf8'));
  expect(await readdir(cache)).toEqual(['target']);
});

test('publishing a folder leaves nothing behind when making it fails', async () => {
  const failing = async (work: string): Promise<string> => {
    await maker('nobody')(work);
    throw new Error('The line is down.');
  };
  await expect(publishFolder(join(cache, 'target'), failing)).rejects.toThrow('The line is down.');
  expect(await readdir(cache)).toEqual([]);
});

test('publishing a folder removes leftovers of a dead process, and keeps the work of a live one', async () => {
  const dead = 4_194_305; // one more than the highest process number of Linux
  await mkdir(join(cache, `unfinished-${dead}-abc`));
  await mkdir(join(cache, `unfinished-${process.ppid}-abc`));
  await publishFolder(join(cache, 'target'), maker('one'));
  expect(existsSync(join(cache, `unfinished-${dead}-abc`))).toBe(false);
  expect(existsSync(join(cache, `unfinished-${process.ppid}-abc`))).toBe(true);
});
