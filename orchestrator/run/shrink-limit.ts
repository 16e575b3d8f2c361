import type { IndexDefinition } from '../../definition/definition.ts';
import type { Settings } from '../settings.ts';

/** How many per cent of its documents an alias may lose by a promotion. A definition's own limit comes first. */
export function shrinkLimitOf(
  { promote }: Pick<Settings, 'promote'>,
  definition: Pick<IndexDefinition, 'promote'>,
): number {
  return definition.promote.shrinkLimit ?? promote.shrink_limit;
}
