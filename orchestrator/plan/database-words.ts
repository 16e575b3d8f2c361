import type { DatabaseError } from 'pg';

/** What to do, by SQLSTATE, where the database's own words do not say it. */
const ADVICE: Readonly<Record<string, string>> = {
  // undefined_function
  '42883': 'Check its name, its schema and the types of its arguments.',
  // grouping_error
  '42803':
    'Each row of the table is one document: aggregate child rows in a join, LATERAL (SELECT …) AS child.',
  // query_canceled
  '57014': 'If it reached its time limit: add an index on the columns that it searches or joins by.',
  // lock_not_available
  '55P03': 'Another session locks a table that this reads: wait for its ALTER TABLE or TRUNCATE, or end it.',
  // insufficient_privilege
  '42501': 'Grant it to the role that reads: GRANT SELECT ON … TO ….',
};

const ROW_SECURITY =
  'Row-level security would silently leave out rows: read with a role that has BYPASSRLS, or from a view whose owner may see all rows.';

/** The database's words for a faulty expression, with its hint, and with advice where there is some. */
export function databaseWords(error: DatabaseError): string {
  const said = [error.message, error.detail, error.hint].filter((part) => part !== undefined).map(asSentence);
  return [...said, ...advice(error)].join(' ');
}

function advice(error: DatabaseError): string[] {
  if (error.message.includes('row-level security')) return [ROW_SECURITY];
  const known = error.hint === undefined ? ADVICE[error.code ?? ''] : undefined;
  return known === undefined ? [] : [known];
}

function asSentence(text: string): string {
  const trimmed = text.trim();
  const sentence = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.?!]$/.test(sentence) ? sentence : `${sentence}.`;
}

/**
 * Where the database found the error in `part` of a statement, in UTF-16 units. 0 when it is elsewhere. The database
 * counts characters from 1.
 */
export function offsetInPart(error: DatabaseError, statement: string, part: string): number {
  if (error.position === undefined) return 0;
  const position = Array.from(statement)
    .slice(0, Number(error.position) - 1)
    .join('').length;
  const start = statement.lastIndexOf(part, position);
  return start >= 0 && position < start + part.length ? position - start : 0;
}
