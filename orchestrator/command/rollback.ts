import { RunFailed } from '../errors.ts';
import { guardedCalls } from '../index/guarded-calls.ts';
import { rollbackPromotions } from '../index/rollback.ts';
import { claimHistory, newestOfKey } from '../journal/claims.ts';
import { readRun, RunJournal } from '../journal/run-journal.ts';
import type { Promotion } from '../reconcile/promotion.ts';
import { whileHoldingAliases } from '../run/alias-claim.ts';
import { requireFree } from '../run/choose-run.ts';
import { connectTarget } from '../run/connections.ts';
import { withLock } from '../run/with-lock.ts';
import { type CommandResult, type RecordContext, runKeyOf } from './command.ts';
import { lockRequest } from './lock-request.ts';
import { lockWaitOf } from './wait-option.ts';

/**
 * Reverses the newest promotion, or that of the given run: all of it, or nothing. With a run's key the command may be
 * repeated.
 */
export async function rollbackCommand(context: RecordContext): Promise<CommandResult> {
  const { offline, reporter } = context;
  const before = await rolledBackBefore(context);
  if (before !== null) return before;
  await findPromotion(context); // Fails at once where there is none. The choice is made under the lock.
  const connections = await connectTarget(offline, reporter);
  try {
    const wait = lockWaitOf(context, false);
    const request = await lockRequest(context, 'rollback', {
      wait,
      // With --wait, an unfinished run is waited for.
      ...(wait.withinMs === null ? { whileHeld: () => requireFree(offline.store) } : {}),
    });
    return await withLock(request, async (lock, held) => {
      await requireFree(offline.store);
      held.throwIfAborted();
      const meanwhile = await rolledBackBefore(context);
      if (meanwhile !== null) return meanwhile;
      const promoted = await findPromotion(context);
      const journal = await RunJournal.open({
        store: offline.store,
        runFolder: promoted.folder,
        epoch: lock.epoch,
        requireHeld: () => lock.requireHeld(),
        now: () => new Date(),
      });
      const cluster = guardedCalls(connections.cluster, () => lock.requireHeld(), held);
      const { store, settings } = offline;
      const targets = await whileHoldingAliases(
        cluster,
        promoted.promotions.map(({ alias }) => alias),
        {
          ...promoted,
          fleet: settings.fleet,
          store,
          host: request.holder.host,
          at: new Date().toISOString(),
        },
        () => rollbackPromotions(cluster, promoted.promotions),
      );
      // After the claims are gone. Once the journal says this, the same command does no more.
      await journal.append([{ type: 'rolled_back', at: new Date().toISOString(), targets }]);
      for (const { alias, restored, staleness } of targets) {
        reporter.note(`${alias} serves ${restored.join(', ')} again`);
        for (const { index, read_from: readFrom } of staleness)
          reporter.warning(`${index} was read from ${readFrom} on: it lacks later changes of the table`);
      }
      return { status: 'rolled back', run_key: promoted.runKey, targets };
    });
  } finally {
    await connections.close();
  }
}

/** What an earlier rollback of the run did. With its key a run is rolled back only once. */
async function rolledBackBefore(context: RecordContext): Promise<CommandResult | null> {
  const wanted = runKeyOf(context);
  if (wanted === null) return null;
  const { store } = context.offline;
  const claim = await newestOfKey(store, wanted);
  if (claim === null) return null;
  const { state } = await readRun(store, claim.folder);
  if (state.rolledBack === null) return null;
  return { status: 'rolled back', run_key: wanted, ...state.rolledBack, rolled_back_before: true };
}

async function findPromotion(
  context: RecordContext,
): Promise<{ run: string; runKey: string; folder: string; promotions: readonly Promotion[] }> {
  const { store } = context.offline;
  const wanted = runKeyOf(context);
  for (const { run, runKey, folder } of await claimHistory(store)) {
    if (wanted !== null && runKey !== wanted) continue;
    const { state } = await readRun(store, folder);
    const promotions = state.rolledBack === null ? [...state.promotions.values()] : [];
    if (promotions.length > 0) return { run, runKey, folder, promotions };
    if (wanted !== null) throw new RunFailed(`the run with key ${wanted} has no promotion to roll back`);
  }
  throw new RunFailed(
    wanted === null
      ? 'no run of this fleet has a promotion to roll back'
      : `there is no run with key ${wanted}`,
  );
}
