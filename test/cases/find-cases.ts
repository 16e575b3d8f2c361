import { globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Case } from './case.ts';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));

export interface NamedCase {
  /** Of its folder: `<number>-<slug>`. */
  readonly name: string;
  readonly theCase: Case;
}

/**
 * Finds the cases, by number.
 *
 * @param wanted beginnings of names; none: all cases
 * @throws Error for a beginning that no case has
 */
export async function findCases(wanted: readonly string[] = []): Promise<NamedCase[]> {
  const names = globSync('*/case.ts', { cwd: FOLDER }).map(dirname).sort();
  const unknown = wanted.find((beginning) => !names.some((name) => name.startsWith(beginning)));
  if (unknown !== undefined)
    throw new Error(`No case begins with "${unknown}". There are ${names.join(', ')}.`);
  const chosen = names.filter(
    (name) => wanted.length === 0 || wanted.some((beginning) => name.startsWith(beginning)),
  );
  return Promise.all(chosen.map(async (name) => ({ name, theCase: await load(name) })));
}

async function load(name: string): Promise<Case> {
  const { theCase } = (await import(pathToFileURL(join(FOLDER, name, 'case.ts')).href)) as { theCase: Case };
  return theCase;
}

/** The same seed always gives the same order. */
export function inOrderOf<Named extends { readonly name: string }>(
  seed: number,
  cases: readonly Named[],
): Named[] {
  return cases
    .map((each) => ({ each, place: scrambled(`${seed} ${each.name}`) }))
    .sort((one, other) => one.place - other.place)
    .map(({ each }) => each);
}

/** FNV-1a, 32 bits, and a last mixing (http://www.isthe.com/chongo/tech/comp/fnv/). */
function scrambled(text: string): number {
  let hash = 0x811c9dc5;
  for (const letter of text) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
