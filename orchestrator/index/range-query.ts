import type { IndexDefinition } from '../../definition/definition.ts';
import type { KeyRange } from '../../definition/key/key-range.ts';
import { keyKindOf } from '../../definition/key/kinds.ts';

/** A query for a key range on the key's field. Keys are texts, because JSON numbers lose digits above 2^53. */
export function rangeQuery(definition: IndexDefinition, { start, end }: KeyRange): Record<string, unknown> {
  const kind = keyKindOf(definition);
  if (start === null && end === null) return { match_all: {} };
  return {
    range: {
      [definition.source.key]: {
        ...(start === null ? {} : { gte: kind.format(start) }),
        ...(end === null ? {} : { lt: kind.format(end) }),
      },
    },
  };
}
