import * as pulumi from '@pulumi/pulumi';
import type { DeploymentExclusion } from './exclude-runs.ts';
import { journalIn } from './journal-place.ts';

/**
 * A hook that fails while a run has the fleet, with the words of `excludeRuns`. It is for `hooks.beforeDelete` of each resource
 * of a fleet (`beforeEachDeletion`). It is also for `hooks.beforeUpdate` of the fleet itself, whose inputs change when the
 * fleet is renamed or its journal moves. It looks at the moment when the engine calls it, at the journal's place that the
 * resource names (`journalIn`). It takes the lock again if it was lost, or if there was no bucket at the start.
 *
 * The engine calls it when a deployment deletes or replaces the resource, and under `pulumi destroy --run-program`. A
 * `pulumi destroy` without that flag runs no program, and so no hook. Since 3.182 the engine refuses it for a resource with
 * such a hook, and names the flag (pulumi/pulumi#19933).
 *
 * @param name of the component. The engine finds a hook by its name, and fails if the program has no such hook any more. So the
 *   name must stay the same when the fleet is renamed.
 */
export function requireNoRun(
  exclusion: Pick<DeploymentExclusion, 'ensure'>,
  name: string,
): pulumi.ResourceHook {
  return new pulumi.ResourceHook(`${name}-has-no-run`, async ({ oldInputs }) => {
    await exclusion.ensure();
    const before = journalIn(oldInputs);
    if (before !== null) await exclusion.ensure(before);
  });
}

/** The prefix of the types of a fleet's components. A component is nothing outside Pulumi's state. */
const COMPONENTS = 'reindex-fleet:';

/**
 * Lets the engine call a hook before it deletes any part of a component. A deployment by a program that no longer has the
 * component has no such hook either, so it is refused before anything is deleted.
 */
export function beforeEachDeletion(hook: pulumi.ResourceHook): pulumi.ResourceTransformation {
  return ({ type, props, opts }) => {
    if (type.startsWith(COMPONENTS)) return undefined;
    const beforeDelete = [...(opts.hooks?.beforeDelete ?? []), hook];
    return { props, opts: { ...opts, hooks: { ...opts.hooks, beforeDelete } } };
  };
}
