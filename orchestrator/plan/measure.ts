import type { ClientBase } from 'pg';
import type { IndexDefinition } from '../../definition/definition.ts';
import { keyKindOf } from '../../definition/key/kinds.ts';
import { baseFrom, qualifiedKey, quoteIdentifier } from '../../definition/sql.ts';
import type { SampledKey } from './ranges.ts';
import { attempt } from './transaction.ts';

/** How many rows are measured. Of long rows it is fewer, because the database makes their documents for it. */
const MEASURED_ROWS = 1000;
const MEASURED_BYTES = 64 * 1024 * 1024;
/**
 * The bytes of `{"index":{"_id":""}}` and two newlines. A version adds some
 * (`,"version":…,"version_type":"external_gte"`).
 */
const ACTION_BYTES = 23;
const VERSION_BYTES = 58;

/**
 * The average number of bytes that go to the cluster for a row of the table, counting rows that `where` leaves out. It
 * is measured on the documents of up to 1,000 sampled keys, or 64 MiB of them. Null where none can be made (an empty
 * table, rows with faulty values).
 */
export async function measureBytesPerRow(
  client: ClientBase,
  definition: IndexDefinition,
  sample: readonly SampledKey[],
): Promise<number | null> {
  const step = Math.max(
    1,
    Math.ceil(sample.length / MEASURED_ROWS),
    Math.ceil(bytesOf(sample) / MEASURED_BYTES),
  );
  const keys = sample.flatMap(({ key }, i) => (i % step === 0 ? [key] : []));
  if (keys.length === 0) return null;
  const { result } = await attempt<{ bytes: number; documents: number; ids: number }>(
    client,
    measurement(definition),
    [keys.map((key) => keyKindOf(definition).format(key))],
  );
  const [row] = result?.rows ?? [];
  if (row === undefined) return null;
  const action = ACTION_BYTES + (definition.source.changedAt === null ? 0 : VERSION_BYTES);
  return (row.bytes + row.ids + row.documents * action) / keys.length;
}

/** The bytes of one row per key, even where a key stands for several rows. */
function bytesOf(sample: readonly SampledKey[]): number {
  return sample.reduce((sum, { bytes, rows }) => sum + bytes / rows, 0);
}

/** The size of the documents as JSON, their number, and the size of their ids. */
function measurement(definition: IndexDefinition): string {
  const { key, where } = definition.source;
  const fields = definition.document.map(({ name, sql }) => `(\n${sql}\n) AS ${quoteIdentifier(name)}`);
  return `
    SELECT coalesce(sum(octet_length(row_to_json(document)::text)), 0)::float8 AS bytes, count(*)::int AS documents,
      coalesce(sum(octet_length(document.${quoteIdentifier(key)}::text)), 0)::float8 AS ids
    FROM (
      SELECT ${[`${qualifiedKey(definition)} AS ${quoteIdentifier(key)}`, ...fields].join(', ')}
      ${baseFrom(definition)}
      WHERE ${qualifiedKey(definition)} = ANY ($1::${keyKindOf(definition).sqlType}[])${where === null ? '' : ` AND (\n${where}\n)`}
    ) AS document`;
}
