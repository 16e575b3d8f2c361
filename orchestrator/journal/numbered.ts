import { RunFailed } from '../errors.ts';
import type { JournalStore } from './store.ts';

/**
 * The name of a numbered object below a folder: `claims/000000000012.json`. Twelve digits keep names sorted as numbers.
 */
export function numberedName(folder: string, number: number): string {
  return `${folder}/${String(number).padStart(12, '0')}.json`;
}

/**
 * The number in a name.
 *
 * @throws RunFailed when somebody has put something else there
 */
export function numberOf(name: string): number {
  const match = /(\d{12})\.json$/.exec(name);
  if (match === null)
    throw new RunFailed(
      `the journal cannot be read: ${name} is not one of its numbered objects. Nothing was changed. Move this object away, then give the same command again.`,
    );
  return Number(match[1]);
}

/** How many names of a bucket one call lists: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
const NAMES_PER_CALL = 1_000;

/**
 * The highest number below a folder. 0 if there is none. `known` is a number that existed; lower ones are not looked
 * at.
 *
 * It is found by leaps that double until one goes too far, and are then halved, whatever was deleted in between. For
 * 100,000 segments that takes about 15 calls instead of 100.
 */
export async function highestNumber(store: JournalStore, folder: string, known = 0): Promise<number> {
  let highest = known;
  let leap = 0;
  let tooFar = false;
  for (;;) {
    const after = numberedName(folder, highest + leap);
    const names = await store.list(folder, { after, limit: NAMES_PER_CALL });
    const last = names.at(-1);
    if (last !== undefined) highest = numberOf(last);
    if (last === undefined ? leap === 0 : names.length < NAMES_PER_CALL) return highest;
    tooFar ||= last === undefined;
    leap = tooFar ? halved(leap) : Math.max(NAMES_PER_CALL, 2 * leap);
  }
}

/** Halves a leap. What one call sees at once needs no more leaps. */
function halved(leap: number): number {
  return leap <= NAMES_PER_CALL ? 0 : Math.floor(leap / 2);
}
