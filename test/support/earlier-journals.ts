import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { MemoryStore } from './memory-store.ts';

/**
 * Journals as the last version of schema 3 wrote them, in small runs of a table of 600 rows: whole (`finished`), killed
 * behind a snapshot (`interrupted`), ended by `abandon`, and of two runs the second of which was rolled back. Each line of
 * a file is one object of the journal.
 */
export type EarlierJournal = 'finished' | 'interrupted' | 'abandoned' | 'rolled-back';

export interface JournalObject {
  readonly name: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export async function earlierJournal(name: EarlierJournal): Promise<JournalObject[]> {
  const file = join(import.meta.dirname, '../fixtures/journals', `${name}.jsonl`);
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as JournalObject);
}

export function putIn(store: MemoryStore, objects: readonly JournalObject[]): void {
  for (const { name, body } of objects) store.objects.set(name, JSON.stringify(body));
}

/** Writes them where `openFileStore` finds them. */
export async function writeTo(folder: string, objects: readonly JournalObject[]): Promise<void> {
  for (const { name, body } of objects) {
    const file = join(folder, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, JSON.stringify(body));
  }
}

/** The alias of all of them; the fleet's name, too. */
export function aliasOf(objects: readonly JournalObject[]): string {
  const claim = objects.find(({ name }) => name.startsWith('claims/'));
  return String(claim?.body['alias']);
}
