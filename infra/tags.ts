import type { Names } from './names.ts';

export type Tags = Readonly<Record<string, string>>;

/** Says which fleet a resource belongs to. Before each run the orchestrator compares a group's tag with its own fleet. */
export const FLEET_TAG = 'reindex-fleet:fleet';

/** The tags of every resource of a fleet that can have tags. People's own tags never replace ours. */
export function tagsOf({ fleet, group }: Pick<Names, 'fleet' | 'group'>, given: Tags): Tags {
  return { Name: group, ...given, [FLEET_TAG]: fleet };
}
