import { link, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { processEntry } from './process-table.ts';

interface Holder {
  readonly pid: number;
  /** See `ProcessEntry.started`. A later process with the same number is not the holder. */
  readonly started: string;
}

/**
 * Takes the lock of a folder for as long as this process lives. False: another living process has it. The lock ends with its
 * holder, even after kill -9.
 *
 * Locks are numbered files, and the highest number counts. A contender never takes the file of a dead holder over. It makes one
 * with a higher number by `link()`, which makes a file with its content at once, and for one contender only.
 */
export async function takeLock(folder: string): Promise<boolean> {
  const held = await highestLock(folder);
  if (held > 0 && (await isAlive(lockFile(folder, held)))) return false;
  const mine = held + 1;
  if (!(await createLock(folder, mine))) return false;
  if ((await highestLock(folder)) !== mine) {
    // While this process looked, another took this number or a later one, and cleared the earlier ones away.
    await rm(lockFile(folder, mine), { force: true });
    return false;
  }
  await clearBelow(folder, mine);
  return true;
}

const lockFile = (folder: string, number: number): string => join(folder, `lock-${number}`);

async function lockNumbers(folder: string): Promise<number[]> {
  const names = await readdir(folder);
  return names.map((name) => Number(/^lock-(\d+)$/.exec(name)?.[1] ?? 0)).filter((number) => number > 0);
}

async function highestLock(folder: string): Promise<number> {
  return Math.max(0, ...(await lockNumbers(folder)));
}

async function isAlive(file: string): Promise<boolean> {
  const text = await readFile(file, 'utf8').catch(() => '{}');
  const { pid, started } = JSON.parse(text) as Partial<Holder>;
  return pid !== undefined && processEntry(pid)?.started === started;
}

async function createLock(folder: string, number: number): Promise<boolean> {
  const draft = join(folder, `draft-${process.pid}`);
  const holder: Holder = { pid: process.pid, started: processEntry(process.pid)?.started ?? '' };
  await writeFile(draft, JSON.stringify(holder));
  try {
    await link(draft, lockFile(folder, number));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function clearBelow(folder: string, number: number): Promise<void> {
  const earlier = (await lockNumbers(folder)).filter((other) => other < number);
  await Promise.all(earlier.map((other) => rm(lockFile(folder, other), { force: true })));
}
