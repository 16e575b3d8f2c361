import type { DescribedDefinition } from '../../definition/definition.ts';
import { readInt4 } from './bytes.ts';
import { UNREPRESENTABLE, type ValueWriter, writeNull } from './value-writer.ts';
import { valueWriter } from './value-writers.ts';

/** No value grows more than this when it becomes JSON (a control character becomes six), but for long numerics. */
const MOST_GROWTH = 6;
/** A dead letter is for a person to read; more than this of a row is left out of it. */
const MAX_KEPT_BYTES = 256 * 1024;
const MARGIN_BYTES = 64;

interface KeptColumn {
  readonly name: string;
  readonly write: ValueWriter;
}

/**
 * Makes the function that gives, as JSON, those fields of a row that a dead letter may keep: from `source[at, end)`,
 * where the row's document fields begin. Null when there are none or when they are too large.
 */
export function keptFieldsEncoder(
  described: DescribedDefinition,
): (source: Buffer, at: number, end: number) => string | null {
  const keep = new Set(described.definition.deadLetters.keepFields);
  if (keep.size === 0) return () => null;
  const columns = described.fields.map(({ name, oid }): KeptColumn | null =>
    keep.has(name) ? { name, write: valueWriter(oid, true) } : null,
  );
  return (source, at, end) => keptFields(columns, source, at, end);
}

function keptFields(
  columns: readonly (KeptColumn | null)[],
  source: Buffer,
  start: number,
  end: number,
): string | null {
  const scratch = Buffer.allocUnsafe(Math.min(MAX_KEPT_BYTES, (end - start) * MOST_GROWTH + MARGIN_BYTES));
  const kept: string[] = [];
  let at = start;
  for (const column of columns) {
    const length = readInt4(source, at);
    const valueEnd = at + 4 + Math.max(0, length);
    if (column !== null) {
      const to = length < 0 ? writeNull(scratch, 0) : column.write(source, at + 4, valueEnd, scratch, 0);
      if (to > scratch.length) return null;
      kept.push(
        `${JSON.stringify(column.name)}:${to === UNREPRESENTABLE ? 'null' : scratch.toString('utf8', 0, to)}`,
      );
    }
    at = valueEnd;
  }
  return `{${kept.join(',')}}`;
}
