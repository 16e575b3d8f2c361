import type { DescribedDefinition } from '../../definition/definition.ts';
import type { Row } from '../source/row.ts';
import { readInt4 } from './bytes.ts';
import { UNREPRESENTABLE, type ValueWriter, writeNull } from './value-writer.ts';
import { valueWriter } from './value-writers.ts';

/** No value grows more than this when it becomes JSON (a control character becomes six), but for long numerics. */
const MOST_GROWTH = 6;
/** A dead letter is for a person to read; more than this of a row is left out of it. */
const MAX_FIELDS_BYTES = 256 * 1024;
const MARGIN_BYTES = 64;

interface LetterColumn {
  readonly name: string;
  readonly write: ValueWriter;
}

/** Gives, as JSON, those fields of a row that its dead letter may hold. Null when there are none or when they are too large. */
export type LetterFields = (row: Row) => string | null;

/** @param fields names of the row's fields, in their order */
export function letterFieldsOf(described: DescribedDefinition, fields: readonly string[]): LetterFields {
  const keep = new Set(described.definition.deadLetters.keepFields);
  if (keep.size === 0) return () => null;
  const columns = fields.map((name): LetterColumn | null => {
    const field = keep.has(name) ? described.fields.find((one) => one.name === name) : undefined;
    return field === undefined ? null : { name, write: valueWriter(field.oid, true) };
  });
  return (row) => writeFields(columns, row);
}

function writeFields(columns: readonly (LetterColumn | null)[], row: Row): string | null {
  const { source, fieldsAt, end } = row;
  const scratch = Buffer.allocUnsafe(
    Math.min(MAX_FIELDS_BYTES, (end - fieldsAt) * MOST_GROWTH + MARGIN_BYTES),
  );
  const kept: string[] = [];
  let at = fieldsAt;
  for (const column of columns) {
    const length = readInt4(source, at);
    const valueEnd = at + 4 + Math.max(0, length);
    if (column !== null) {
      const to = length < 0 ? writeNull(scratch, 0) : column.write(source, at + 4, scratch, 0);
      if (to > scratch.length) return null;
      kept.push(
        `${JSON.stringify(column.name)}:${to === UNREPRESENTABLE ? 'null' : scratch.toString('utf8', 0, to)}`,
      );
    }
    at = valueEnd;
  }
  return `{${kept.join(',')}}`;
}
