import type { KeyRange } from '../../definition/definition.ts';

/** A key range as a query on the key's field. Keys are texts, for JSON numbers lose digits above 2^53. */
export function rangeQuery(field: string, { start, end }: KeyRange): Record<string, unknown> {
  if (start === null && end === null) return { match_all: {} };
  return {
    range: {
      [field]: {
        ...(start === null ? {} : { gte: start.toString() }),
        ...(end === null ? {} : { lt: end.toString() }),
      },
    },
  };
}
