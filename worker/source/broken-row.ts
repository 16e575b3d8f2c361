import type { DatabaseError } from 'pg';
import { fullDatabaseWords, safeDatabaseWords } from '../../definition/database-words.ts';
import type { ReadRequest } from './read-request.ts';

/**
 * Says why a row has no document, in one sentence.
 * @param field the field that breaks; null: another expression than a field does
 */
export function brokenRowWords(
  error: DatabaseError,
  field: string | null,
  { reading, targets }: ReadRequest,
): string {
  const { source, document } = reading.definition;
  if (field === null) {
    const parts = [
      ...(source.where === null ? [] : ['source.where']),
      ...(source.changedAt === null ? [] : ['source.changed_at']),
      ...(source.joins.length === 0 ? [] : ['a join']),
    ];
    const what = parts.length === 0 ? `one of ${document.length} fields` : parts.join(' or ');
    return `The row cannot be read (${what}): ${safeDatabaseWords(error)}.`;
  }
  // The message may quote what the field is made of. Whoever may see the field may see that.
  const mayBeSeen = [reading, ...targets].every(({ definition }) =>
    definition.deadLetters.keepFields.includes(field),
  );
  const words = mayBeSeen ? fullDatabaseWords : safeDatabaseWords;
  return `The field "${field}" cannot be computed: ${words(error)}.`;
}
