import { systemClock } from '../clock.ts';
import { UsageFault } from '../errors.ts';
import { targetNames } from '../index/names.ts';
import { newestOfKey } from '../journal/claims.ts';
import { abandonRun } from '../run/abandon-run.ts';
import { endableClaim } from '../run/choose-run.ts';
import { connectTarget } from '../run/connections.ts';
import { withLock } from '../run/with-lock.ts';
import { type CommandResult, type RecordContext, runKeyOf } from './command.ts';
import { freeAliasCommand } from './free-alias.ts';
import { lockRequest } from './lock-request.ts';
import { lockWaitOf } from './wait-option.ts';

/**
 * Ends an unfinished run. It brings the fleet to zero, deletes the index and releases the fleet. The alias stays where
 * it is. The command may be repeated: it finishes a run that was cut off here, and says so when there is nothing left
 * to do.
 */
export async function abandonCommand(context: RecordContext): Promise<CommandResult> {
  const { offline, reporter, workers } = context;
  const { store } = offline;
  if (context.flags.alias !== undefined) return freeAliasCommand(context);
  if (context.flags.force === true)
    throw new UsageFault('--force goes with --alias: name the alias that is to be freed');
  const before = await resultBefore(context);
  if (before !== null) return before;
  const connections = await connectTarget(offline, reporter);
  try {
    const request = await lockRequest(context, 'abandon', {
      wait: lockWaitOf(context, false),
      whileHeld: () => resultBefore(context),
    });
    return await withLock(request, async (lock, signal) => {
      const meanwhile = await resultBefore(context);
      if (meanwhile !== null) return meanwhile;
      const { cluster } = connections;
      const runKey = runKeyOf(context);
      const openFleet: typeof workers.openFleet = (pin) => workers.openFleet(pin);
      const claim = await abandonRun({ store, cluster, openFleet, lock, clock: systemClock, signal, runKey });
      if (claim === null) return nothing(context);
      const deleted = claim.aliases.map(({ alias }) => targetNames(alias, claim.run).index);
      reporter.note(
        `run ${claim.runKey} is abandoned: its fleet is at zero, ${deleted.join(', ')} ${deleted.length === 1 ? 'is' : 'are'} deleted`,
      );
      return { status: 'abandoned', run_key: claim.runKey, run: claim.run, deleted };
    });
  } finally {
    await connections.close();
  }
}

/** The result when there is nothing to do. Null when there is a claim to end. */
async function resultBefore(context: RecordContext): Promise<CommandResult | null> {
  const { store } = context.offline;
  const wanted = runKeyOf(context);
  const ended = wanted === null ? null : (await newestOfKey(store, wanted))?.ended;
  if (ended === 'abandoned') return { status: 'abandoned', run_key: wanted, abandoned_before: true };
  return (await endableClaim(store)) === null ? nothing(context) : null;
}

function nothing({ offline }: RecordContext): CommandResult {
  return { status: 'nothing to abandon', fleet: offline.settings.fleet };
}
