import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { processEntry } from './process-table.ts';
import { makeReadableDirectory } from './unprivileged.ts';

const LOOK_EVERY_MS = 100;

/**
 * Makes a folder in the cache so that what lies there is whole: `make` fills a folder of its own beside it and returns the
 * path therein that is to be published, which one rename does. A process that finds another at the same work waits for
 * it, and does the work itself if the other ends without success. What interrupted ones left behind is removed.
 *
 * @param signal ends the waiting
 */
export async function publishFolder(
  target: string,
  make: (work: string) => Promise<string>,
  signal?: AbortSignal,
): Promise<void> {
  const parent = dirname(target);
  await makeReadableDirectory(parent);
  await removeUnfinished(parent);
  while (!existsSync(target) && (await isBeingMade(target))) await sleep(LOOK_EVERY_MS, null, { signal });
  if (existsSync(target)) return;
  const work = await mkdtemp(join(parent, unfinishedName(target)));
  try {
    await chmod(work, 0o755);
    const made = await make(work);
    await rename(made, target).catch((error: unknown) => {
      if (!existsSync(target)) throw error; // otherwise another process was faster
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Names what is made and the process that makes it, by its number and its start: the number alone is used again. */
function unfinishedName(target: string): string {
  return `unfinished-${process.pid}-${startDigest(process.pid)}-${basename(target)}-`;
}

/** Null: there is no such process. */
function startDigest(pid: number): string | null {
  const entry = processEntry(pid);
  return entry && createHash('sha256').update(entry.started).digest('hex').slice(0, 8);
}

function isAbandoned(name: string): boolean {
  const [, pid, started] = /^unfinished-(\d+)-([0-9a-f]{8})-/.exec(name) ?? [];
  return pid !== undefined && startDigest(Number(pid)) !== started;
}

async function isBeingMade(target: string): Promise<boolean> {
  const names = await readdir(dirname(target));
  const isOfTarget = new RegExp(`^unfinished-\\d+-[0-9a-f]{8}-${RegExp.escape(basename(target))}-`);
  return names.some((name) => isOfTarget.test(name) && !isAbandoned(name));
}

/** Removes what an interrupted process left behind, but not the work of one that runs now. */
async function removeUnfinished(folder: string): Promise<void> {
  const abandoned = (await readdir(folder)).filter(isAbandoned);
  await Promise.all(abandoned.map((name) => rm(join(folder, name), { recursive: true, force: true })));
}
