import { execFile } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { takeLock } from '../../embedded/lock.ts';
import { createServiceFolder } from '../support/services.ts';

let folder: ReturnType<typeof createServiceFolder>;

beforeEach(() => {
  folder = createServiceFolder();
});
afterEach(() => folder.remove());

/** Takes the lock in a process of its own, which holds it for a while if it got it. */
async function contend(): Promise<string> {
  const lock = new URL('../../embedded/lock.ts', import.meta.url).href;
  const program = `
    const { takeLock } = await import(${JSON.stringify(lock)});
    const taken = await takeLock(${JSON.stringify(folder.path)});
    process.stdout.write(String(taken));
    if (taken) await new Promise((resolve) => setTimeout(resolve, 3000));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
  return stdout;
}

test('the lock of the embedded services has one holder among many that try at once', async () => {
  const outcomes = await Promise.all(Array.from({ length: 6 }, contend));
  expect(outcomes.filter((outcome) => outcome === 'true')).toHaveLength(1);
});

test('the lock of the embedded services is held while its process lives, and is free afterwards', async () => {
  expect(await contend()).toBe('true');
  expect(await takeLock(folder.path)).toBe(true);
  expect(await contend()).toBe('false');
  expect(readdirSync(folder.path), 'earlier locks are cleared away').toEqual(['lock-2']);
});

test('the lock of the embedded services is not held by a later process with the number of a dead holder', async () => {
  writeFileSync(
    join(folder.path, 'lock-9'),
    JSON.stringify({ pid: process.pid, started: 'at another time' }),
  );
  expect(await contend()).toBe('true');
});
