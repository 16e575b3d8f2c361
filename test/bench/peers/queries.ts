import { COLUMN_NAMES, timeTypeOf } from '../sample-table.ts';
import type { Work } from './arm.ts';

/** Both kinds of timestamps as this project's documents have them: ISO 8601 in UTC with `Z` and without zeros at the end. */
const AS_ISO: Readonly<Record<'timestamp' | 'timestamptz', (column: string) => string>> = {
  timestamp: (column) => `replace(${column}::text, ' ', 'T') || 'Z'`,
  timestamptz: (column) => `replace((${column} AT TIME ZONE 'UTC')::text, ' ', 'T') || 'Z'`,
};

/** Rows as they are; the client makes documents of them. */
export function plainRows(work: Work): string {
  return `SELECT ${COLUMN_NAMES.join(', ')} ${from(work)}`;
}

/** Rows with the timestamps as texts that need no more work. */
export function rowsWithIsoTimes(work: Work): string {
  const columns = COLUMN_NAMES.map((name) => `${valueOf(name)} AS ${name}`);
  return `SELECT ${columns.join(', ')} ${from(work)}`;
}

/** The key and the whole document, which PostgreSQL makes: measured faster than with `jsonb`, as fast as any other way. */
export function jsonDocuments(work: Work): string {
  return `SELECT id::text AS id, row_to_json(row)::text AS document FROM (${rowsWithIsoTimes(work)}) AS row`;
}

function valueOf(column: string): string {
  const type = timeTypeOf(column);
  return type === null ? column : AS_ISO[type](column);
}

function from({ table, rows }: Work): string {
  return `FROM ${table} WHERE id >= ${rows.first} AND id < ${rows.end}`;
}
