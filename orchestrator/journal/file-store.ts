import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { JournalStore } from './store.ts';

/**
 * A journal in a folder. A name comes into being by `link()` from a file that is written and synced already:
 * `link` fails if the name exists, so there is one winner, and no reader ever sees half a file. (Not so by
 * `open(O_EXCL)` and writing, where a crash leaves an empty winner; and `rename` would replace silently.)
 */
export function openFileStore(root: string): JournalStore {
  return {
    location: root,
    create: (name, body) => create(root, name, body),
    read: (name) => orNull(readFile(join(root, name), 'utf8')),
    replace: (name, body) => replace(root, name, body),
    list: (folder) => list(root, folder),
  };
}

async function create(root: string, name: string, body: string): Promise<'created' | 'exists'> {
  const path = join(root, name);
  const draft = await writeDraft(path, body);
  try {
    await link(draft, path);
    await syncFolder(dirname(path));
    return 'created';
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return 'exists';
    throw error;
  } finally {
    await unlink(draft).catch(() => {});
  }
}

async function replace(root: string, name: string, body: string): Promise<void> {
  const path = join(root, name);
  const draft = await writeDraft(path, body);
  await rename(draft, path);
}

/** Drafts start with a dot: `list` passes them over, so one left by a crash does no harm. */
async function writeDraft(path: string, body: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  const draft = join(dirname(path), `.draft-${randomUUID()}`);
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(body);
    await file.sync();
  } finally {
    await file.close();
  }
  return draft;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function list(root: string, folder: string): Promise<string[]> {
  const names = (await orNull(readdir(join(root, folder)))) ?? [];
  return names
    .filter((name) => !name.startsWith('.'))
    .sort()
    .map((name) => join(folder, name));
}

async function orNull<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
