import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { processEntry } from './process-table.ts';
import { makeReadableDirectory } from './unprivileged.ts';

/**
 * Makes a folder in the cache that is always whole. `make` fills another folder beside it and returns the path in it to publish.
 * One rename publishes that path. If several processes do this at once, the first one wins. What interrupted processes left
 * behind is removed.
 */
export async function publishFolder(target: string, make: (work: string) => Promise<string>): Promise<void> {
  const parent = dirname(target);
  await makeReadableDirectory(parent);
  await removeUnfinished(parent);
  const work = await mkdtemp(join(parent, `unfinished-${process.pid}-`));
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

/** Removes what an interrupted process left behind. It keeps the work of a process that runs now. */
async function removeUnfinished(folder: string): Promise<void> {
  const names = await readdir(folder);
  const isAbandoned = (name: string): boolean => {
    const owner = /^unfinished-(\d+)-/.exec(name)?.[1];
    return owner !== undefined && processEntry(Number(owner)) === null;
  };
  const abandoned = names.filter(isAbandoned);
  await Promise.all(abandoned.map((name) => rm(join(folder, name), { recursive: true, force: true })));
}
