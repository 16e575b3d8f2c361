import { rangeFrom } from '../../../definition/key/key-range.ts';
import { clearKeys } from '../../index/clear-keys.ts';
import { forgetDeletions } from '../../index/forget-deletions.ts';
import { staleKeys } from '../../index/stale-keys.ts';
import { keyKindOfRun, lastCutoff } from '../../reconcile/state.ts';
import type { DescribedTarget, RunContext } from '../../run/context.ts';
import type { Pass } from '../pass.ts';
import { targetsOf } from '../pass-targets.ts';

/**
 * Deletes the documents and dead letters of rows that have changed since they were read. It comes before the pass that
 * reads these rows again, so a row that has left `where` leaves nothing behind.
 */
export async function clearChanged(context: RunContext, pass: Pass): Promise<void> {
  for (const target of targetsOf(context, pass)) await clearTarget(context, target);
}

async function clearTarget(context: RunContext, target: DescribedTarget): Promise<void> {
  const { journal, connections, clock, signal } = context;
  const { cluster } = connections;
  const { state } = journal;
  const cutoff = lastCutoff(state.earlierPasses);
  if (cutoff === null) throw new Error('a pass over changed rows, but no pass before it has a cutoff');
  const kind = keyKindOfRun(state);
  const { index, deadLetterIndex, described } = target;
  const clear = async (): Promise<void> => {
    await connections.withChangesSource(described, async (source) => {
      const question = { cluster, source, described, names: target, cutoff, clock, signal };
      for (const range of state.order)
        for await (const keys of staleKeys(question, rangeFrom(kind, range))) {
          await clearKeys({ cluster, index, kind, signal }, keys);
          await clearKeys({ cluster, index: deadLetterIndex, kind, signal }, keys);
        }
    });
  };
  const calls = { cluster, clock, signal };
  await forgetDeletions(calls, index, () => forgetDeletions(calls, deadLetterIndex, clear));
}
