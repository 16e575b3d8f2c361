import type { DescribedDefinition, IndexDefinition } from '../../definition/definition.ts';
import type { KeyKind } from '../../definition/key/key-kind.ts';
import type { KeyRange } from '../../definition/key/key-range.ts';
import { keyKindOf } from '../../definition/key/kinds.ts';
import { baseFrom, rangeCondition, withoutJoins } from '../../definition/sql.ts';
import { RunFailed } from '../errors.ts';
import { countWords, plural } from '../report/words.ts';
import type { ValidationSource } from './validation-source.ts';

/**
 * Rows that no range contains are read by no worker, and a count of the ranges does not see them. A key can be NULL
 * although the catalogue says that it is not: after NOT NULL … NOT VALID, in a child by inheritance, in a view, or where
 * somebody wrote to the catalogue.
 */

export interface PlacedRows {
  readonly source: Pick<ValidationSource, 'placement'>;
  readonly described: DescribedDefinition;
  readonly ranges: readonly KeyRange[];
}

/** Requires each row of the base table to lie in one of the ranges. Throws RunFailed with the statement that shows the others. */
export async function requireAllPlaced({ source, described, ranges }: PlacedRows): Promise<void> {
  const { definition } = described;
  const { rows, placed } = await source.placement(ranges);
  if (rows === placed) return;
  const { table } = definition.source;
  const missing = plural(rows - placed, 'row');
  throw new RunFailed(
    `${missing} of the ${countWords(rows)} of ${table} ${rows - placed === 1 ? 'lies' : 'lie'} in no range of keys, because the key ${definition.source.key} is NULL there, whatever the catalogue says. They would be neither indexed nor filtered nor dead letters, so the alias stays where it is. ${unplacedStatement(definition, ranges)} shows them. Give each a key or delete it, and run the same command again.`,
  );
}

/**
 * Counts on one snapshot, as `rows` and `placed`. There is no condition on the key, and no IS NULL either, which the
 * planner answers from the catalogue.
 */
export function placementStatement(definition: IndexDefinition, ranges: readonly KeyRange[]): string {
  const base = withoutJoins(definition);
  return `SELECT count(*) AS rows, count(*) FILTER (WHERE ${inSomeRange(base, ranges)}) AS placed\n${baseFrom(base)}`;
}

/** A statement for a person, in one line. */
function unplacedStatement(definition: IndexDefinition, ranges: readonly KeyRange[]): string {
  const base = withoutJoins(definition);
  return `SELECT * ${baseFrom(base)} WHERE (${inSomeRange(base, ranges)}) IS NOT TRUE`;
}

function inSomeRange(definition: IndexDefinition, ranges: readonly KeyRange[]): string {
  const stretches = stretchesOf(keyKindOf(definition), ranges);
  if (stretches.length === 0) return 'false';
  return stretches.map((stretch) => `(${rangeCondition(definition, stretch)})`).join(' OR ');
}

/** The stretches of keys that the ranges cover together: one, if no range is missing. Ranges are in key order. */
function stretchesOf(kind: KeyKind, ranges: readonly KeyRange[]): KeyRange[] {
  const stretches: KeyRange[] = [];
  for (const range of ranges) {
    const last = stretches.at(-1);
    const joins = last?.end != null && range.start !== null && kind.compare(last.end, range.start) === 0;
    if (last !== undefined && joins) stretches.splice(-1, 1, { start: last.start, end: range.end });
    else stretches.push(range);
  }
  return stretches;
}
