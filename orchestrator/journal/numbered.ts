import type { JournalStore } from './store.ts';

/** Numbered objects below a folder: `claims/000000000012.json`. Twelve digits keep names sorted as numbers. */
export function numberedName(folder: string, number: number): string {
  return `${folder}/${String(number).padStart(12, '0')}.json`;
}

export function numberOf(name: string): number {
  const match = /(\d{12})\.json$/.exec(name);
  if (match === null) throw new Error(`${name} is not a numbered object of the journal`);
  return Number(match[1]);
}

/** The highest number below a folder; 0 if there is none. */
export async function highestNumber(store: JournalStore, folder: string): Promise<number> {
  const names = await store.list(folder);
  const last = names.at(-1);
  return last === undefined ? 0 : numberOf(last);
}
