import type { DescribedDefinition } from './definition.ts';
import { OID } from './field-types.ts';
import { quoteLiteral, readableExpression } from './sql.ts';

/** The SQL that finds rows by when they last changed. It is for transactions with the pinned settings (`sql.ts`). */

/** A version is a whole number of microseconds since 1970, from 0 up to the largest long. */
const [FIRST_VERSION, LAST_VERSION] = ['1970-01-01 00:00:00+00', '292277-01-09 04:00:54.775807+00'];

/**
 * The condition for a row to have changed at `since` or later. A row whose `changed_at` cannot be a version does not
 * meet it.
 *
 * @param since in ISO 8601
 */
export function changedSinceCondition(described: DescribedDefinition, since: string): string {
  return `(${changedAtZoned(described)} >= ${quoteLiteral(since)}::timestamptz AND ${isVersion(described)})`;
}

/** The condition for a row's `changed_at` to be a version: it is not null, not infinite, and in the bounds. */
export function isVersion(described: DescribedDefinition): string {
  return `coalesce(${changedAtZoned(described)} BETWEEN '${FIRST_VERSION}'::timestamptz AND '${LAST_VERSION}'::timestamptz, false)`;
}

/** The condition for a row's `changed_at` to be later than now. Clocks may differ by a minute. */
export function isInFuture(described: DescribedDefinition): string {
  return `(${isVersion(described)} AND ${changedAtZoned(described)} > clock_timestamp() + interval '1 minute')`;
}

/** When a row last changed, in microseconds since 1970: the version of its document. */
export function changedAtMicros(described: DescribedDefinition): string {
  return `(extract(epoch FROM ${changedAtZoned(described)}) * 1000000)::int8`;
}

/** `changed_at` as a timestamptz. A time without zone is in UTC here, and so is the session. */
function changedAtZoned({ definition, changedAtOid }: DescribedDefinition): string {
  const { name, source } = definition;
  if (source.changedAt === null) throw new Error(`the definition ${name} has no changed_at`);
  return `${readableExpression(source.changedAt, changedAtOid ?? OID.timestamptz, source.timeZone)}::timestamptz`;
}
