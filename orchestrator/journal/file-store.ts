import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, rm, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type JournalStore, type ListPart, partOf } from './store.ts';
import { codeOf, storeFailure } from './store-failure.ts';

/**
 * A journal in a folder. A name is created by `link()` from a file that is already written and synced. `link` fails if
 * the name exists, so there is one winner, and no reader ever sees half a file. (With `open(O_EXCL)` and writing, a
 * crash would leave an empty winner. `rename` would silently replace a file.)
 *
 * @throws RunFailed from every call, with the path, the cause and what to do, when the folder cannot be read or written
 */
export function openFileStore(root: string): JournalStore {
  const folders = new Folders();
  return {
    location: root,
    create: (name, body) => create(folders, join(root, name), body),
    read: (name) => read(join(root, name)),
    replace: (name, body) => replace(folders, join(root, name), body),
    remove: (name) => remove(join(root, name)),
    list: (folder, part) => list(folders, root, folder, part),
  };
}

/**
 * Folders that existed once. If one of them is gone, it is never created again: what it held is lost, and a journal
 * that begins in its middle would tell another story.
 */
class Folders {
  readonly #seen = new Set<string>();

  saw(folder: string): void {
    this.#seen.add(folder);
  }

  hasSeen(folder: string): boolean {
    return this.#seen.has(folder);
  }

  /** Creates a folder that does not exist yet, durably, with the missing folders above it. */
  async make(folder: string): Promise<void> {
    if (this.hasSeen(folder)) return;
    const first = await mkdir(folder, { recursive: true });
    if (first !== undefined) {
      const above = dirname(resolve(first));
      for (let made = dirname(resolve(folder)); ; made = dirname(made)) {
        await syncFolder(made);
        if (made === above) break;
      }
    }
    this.saw(folder);
  }
}

async function create(folders: Folders, path: string, body: string): Promise<'created' | 'exists'> {
  return withDraft(folders, path, body, async (draft) => {
    const created = await linkOnce(draft, path);
    // Also when it exists: it may come from our own earlier try whose sync failed, and it must be durable from now on.
    await syncFolder(dirname(path));
    return created ? 'created' : 'exists';
  });
}

/** Links a file. False when the name is taken. */
async function linkOnce(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function replace(folders: Folders, path: string, body: string): Promise<void> {
  return withDraft(folders, path, body, (draft) => rename(draft, path));
}

/** Works with a draft. Its name starts with a dot, so `list` skips one that a crash left behind. */
async function withDraft<T>(
  folders: Folders,
  path: string,
  body: string,
  publish: (draft: string) => Promise<T>,
): Promise<T> {
  const draft = join(dirname(path), `.draft-${randomUUID()}`);
  try {
    await folders.make(dirname(path));
    await writeDurably(draft, body);
    return await publish(draft);
  } catch (error) {
    throw storeFailure('written', path, error);
  } finally {
    await unlink(draft).catch(() => {}); // Gone when `rename` published it, or never written.
  }
}

async function writeDurably(path: string, body: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(body);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function read(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw storeFailure('read', path, error);
  }
}

async function remove(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (error) {
    throw storeFailure('written', path, error);
  }
}

async function list(folders: Folders, root: string, folder: string, part?: ListPart): Promise<string[]> {
  const path = join(root, folder);
  try {
    const names = await readdir(path);
    folders.saw(path);
    return partOf(
      names.filter((name) => !name.startsWith('.')).map((name) => join(folder, name)),
      part,
    );
  } catch (error) {
    if (codeOf(error) === 'ENOENT' && !folders.hasSeen(path)) return [];
    throw storeFailure('read', path, error);
  }
}
