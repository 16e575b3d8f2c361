import { types } from 'pg';
import type { ActionOf } from './bulk-helper.ts';

const { INT8, NUMERIC, DATE, TIMESTAMP, TIMESTAMPTZ } = types.builtins;

/** As PostgreSQL writes a timestamp in UTC: `2024-02-29 23:59:59.5+00`; the JavaScript `Date` would lose microseconds. */
const iso = (text: string): string => `${text.slice(0, 10)}T${text.slice(11).replace('+00', '')}Z`;

const PARSERS: Readonly<Record<number, (text: string) => unknown>> = {
  [INT8]: Number,
  [NUMERIC]: Number,
  [DATE]: (text: string) => text,
  [TIMESTAMP]: iso,
  [TIMESTAMPTZ]: iso,
};

/** The driver's own parsers, but for the types that it leaves as texts or makes into a `Date`. */
export const ROW_TYPES = {
  getTypeParser: (oid: number, format?: 'text' | 'binary'): unknown =>
    format === 'binary' ? types.getTypeParser(oid, format) : (PARSERS[oid] ?? types.getTypeParser(oid)),
};

/** Each row is its document. */
export const rowAction =
  (index: string): ActionOf =>
  (row) => [{ index: { _index: index, _id: String(row['id']) } }, row];

/** Each row is a key and the JSON of its document, which goes out as it is. */
export const jsonAction =
  (index: string): ActionOf =>
  ({ id, document }) => [{ index: { _index: index, _id: String(id) } }, String(document)];
