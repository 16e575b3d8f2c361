import type { Names } from './names.ts';

export type Tags = Readonly<Record<string, string>>;

/** Says whose a resource is; the orchestrator holds a group's against its own fleet before each run. */
export const FLEET_TAG = 'reindex-fleet:fleet';

/** Of every resource of a fleet that can have tags. What people give stands beside ours, never in its place. */
export function tagsOf({ fleet, group }: Pick<Names, 'fleet' | 'group'>, given: Tags): Tags {
  return { Name: group, ...given, [FLEET_TAG]: fleet };
}
