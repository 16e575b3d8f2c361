import * as pulumi from '@pulumi/pulumi';
import type { RunExclusion } from './run-exclusion.ts';

/**
 * A hook for `hooks.beforeDelete` of what a run cannot do without, such as the group: the deletion fails while a run has
 * the fleet, with the words of `excludeRuns`. It looks when the engine gets that far, and takes the lock again where it
 * was lost, or where there was no bucket at the start.
 *
 * The engine calls it when a deployment deletes or replaces the resource, and under `pulumi destroy --run-program`. A
 * `pulumi destroy` without that flag runs no program, and so no hook: since 3.182 the engine refuses it for a resource
 * with such a hook, and names the flag (pulumi/pulumi#19933).
 *
 * @param fleet makes the hook's name: the engine finds a hook by it, so it stays the same from one deployment to the next
 */
export function refuseDeletion(exclusion: Pick<RunExclusion, 'ensure'>, fleet: string): pulumi.ResourceHook {
  return new pulumi.ResourceHook(`reindex-fleet-${fleet}-has-no-run`, () => exclusion.ensure());
}
