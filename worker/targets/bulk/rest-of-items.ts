import { TaskFailure } from '../../task-failure.ts';
import type { Books } from './books.ts';
import { safeClusterWords } from './cluster-words.ts';
import { areAtFault, MOST_WITHOUT_ANY_TAKEN } from './doubts.ts';
import type { DoubtfulItem, Outcomes, RefusedItem } from './outcomes.ts';
import { keepOnly, keyAt, partOf, type Piece } from './piece.ts';

/**
 * Books the outcomes of a piece and gives what is still to be sent, in order: first what the cluster could not take now, then,
 * in pieces of their own, what failed with 5xx. So the rest of a bulk settles while those that fail are tried again.
 */
export function restOfItems(outcomes: Outcomes, piece: Piece, books: Books): Piece[] {
  const { delivered, meter, onRefused } = books;
  const { indexed, superseded, refused, again, doubtful } = outcomes;
  delivered.indexed += indexed;
  delivered.superseded += superseded;
  meter.taken += indexed + superseded;
  for (const item of refused) onRefused(item, piece);
  const [spoken = outcomes.turnedAway] = doubtful;
  if (spoken !== null) meter.trouble = troubleOf(spoken, piece);
  if (again.length === 0 && doubtful.length === 0) return [];
  if (again.length === 0 && atFault(doubtful, piece, books)) return bury(doubtful, piece, books);
  const positions = [...again, ...doubtful.map(({ position }) => position)].toSorted((a, b) => a - b);
  const failures = positions.length < piece.count ? 0 : piece.failures + 1;
  // What the piece knew of its items before they are moved together.
  const tried = { tries: (piece.doubt?.tries ?? 0) + 1, takenAtLast: meter.taken };
  const rest = keepOnly(piece, positions);
  const inDoubt = new Set(doubtful.map(({ position }) => position));
  const parts = runsOf(positions.map((position) => inDoubt.has(position))).map(([doubted, from, count]) => {
    const part = partOf(rest, from, count);
    part.failures = doubted ? Math.max(failures, tried.tries - 1) : failures;
    part.doubt = doubted ? tried : null;
    return part;
  });
  return [...parts.filter(({ doubt }) => doubt === null), ...parts.filter(({ doubt }) => doubt !== null)];
}

function atFault(items: readonly DoubtfulItem[], piece: Piece, { meter }: Books): boolean {
  const { tries, takenAtLast } = piece.doubt ?? { tries: 0, takenAtLast: meter.taken };
  const takenSinceLastTry = meter.taken - takenAtLast;
  return areAtFault({ items, tries: tries + 1, takenSinceLastTry, takenEver: meter.taken });
}

function bury(items: readonly DoubtfulItem[], piece: Piece, { meter, onRefused }: Books): Piece[] {
  meter.faulty += items.length;
  const [first] = items;
  if (first !== undefined && meter.taken === 0 && meter.faulty > MOST_WITHOUT_ANY_TAKEN) {
    throw new TaskFailure(
      'stop',
      first.type,
      `The cluster fails for each of ${meter.faulty} documents, and takes none: ${troubleOf(first, piece)}. Mend the pipeline, then run again.`,
    );
  }
  for (const item of items) onRefused(item, piece);
  return [];
}

function troubleOf(item: RefusedItem, piece: Piece): string {
  return `${safeClusterWords(item, { fields: [], keepFields: [] }).replace(/\.$/, '')} (key ${keyAt(piece, item.position)})`;
}

/** Runs of equal values: the value, where the run begins, and how long it is. */
function runsOf(values: readonly boolean[]): (readonly [boolean, number, number])[] {
  const runs: [boolean, number, number][] = [];
  for (const [i, value] of values.entries()) {
    const last = runs.at(-1);
    if (last !== undefined && last[0] === value) last[2]++;
    else runs.push([value, i, 1]);
  }
  return runs;
}
