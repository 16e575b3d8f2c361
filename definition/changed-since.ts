import type { DescribedDefinition } from './definition.ts';
import { OID } from './field-types.ts';
import { quoteLiteral, readableExpression } from './sql.ts';

/** The SQL that finds rows by when they last changed. It is for transactions with the pinned settings (`sql.ts`). */

/**
 * The condition for a row to have changed at `since` or later. A row whose `changed_at` is null or infinite does not
 * meet it.
 *
 * @param since in ISO 8601
 */
export function changedSinceCondition(described: DescribedDefinition, since: string): string {
  const changed = changedAtZoned(described);
  return `(${changed} >= ${quoteLiteral(since)}::timestamptz AND isfinite(${changed}))`;
}

/** When a row last changed, in microseconds since 1970: the version of its document. */
export function changedAtMicros(described: DescribedDefinition): string {
  return `(extract(epoch FROM ${changedAtZoned(described)}) * 1000000)::int8`;
}

/** `changed_at` as a timestamptz. A time without zone is in UTC here, and so is the session. */
export function changedAtZoned({ definition, changedAtOid }: DescribedDefinition): string {
  const { name, source } = definition;
  if (source.changedAt === null) throw new Error(`the definition ${name} has no changed_at`);
  return `${readableExpression(source.changedAt, changedAtOid ?? OID.timestamptz, source.timeZone)}::timestamptz`;
}
