import * as pulumi from '@pulumi/pulumi';
import type { DeploymentExclusion } from './exclude-runs.ts';
import { journalIn } from './journal-place.ts';

/**
 * A hook for `hooks.beforeDelete` of what a run cannot do without, such as the group, and for `hooks.beforeUpdate` of the
 * fleet itself, whose inputs change when it is renamed or its journal moves: it fails while a run has the fleet, with the
 * words of `excludeRuns`. It looks when the engine gets that far, where the resource has said that its journal is
 * (`journalIn`), and takes the lock again where it was lost, or where there was no bucket at the start.
 *
 * The engine calls it when a deployment deletes or replaces the resource, and under `pulumi destroy --run-program`. A
 * `pulumi destroy` without that flag runs no program, and so no hook: since 3.182 the engine refuses it for a resource
 * with such a hook, and names the flag (pulumi/pulumi#19933).
 *
 * @param name of the component: the engine finds a hook by its name, and fails where the program has none of that name any
 *   more, so a fleet that gets another name must not change it
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
