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

test('publishing a folder removes leftovers of a dead process, and keeps what no process of ours named', async () => {
  const dead = 4_194_305; // one more than the highest process number of Linux
  await mkdir(join(cache, `unfinished-${dead}-0123abcd-target-abc`));
  await mkdir(join(cache, `unfinished-${process.ppid}-0123abcd-target-abc`)); // its number is another process's now
  await mkdir(join(cache, 'other'));
  await publishFolder(join(cache, 'target'), maker('one'));
  expect((await readdir(cache)).sort()).toEqual(['other', 'target']);
});

test('a folder that is being made is waited for, and made after all if that fails', async () => {
  const target = join(cache, 'target');
  const { promise: line, reject: breakLine } = Promise.withResolvers<string>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const first = publishFolder(target, () => {
    begin();
    return line;
  });
  await begun;
  const made: string[] = [];
  const second = publishFolder(target, (work) => {
    made.push(work);
    return maker('other')(work);
  });
  const stopped = publishFolder(target, maker('nobody'), AbortSignal.timeout(1));
  await expect(stopped).rejects.toThrow('aborted');
  expect(made).toEqual([]);
  breakLine(new Error('The line is down.'));
  await expect(first).rejects.toThrow('The line is down.');
  await second;
  expect(await readFile(join(target, 'by'), 'utf8')).toBe('other');
});
