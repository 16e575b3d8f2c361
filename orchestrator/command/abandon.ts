import { systemClock } from '../clock.ts';
import { targetNames } from '../index/names.ts';
import { abandonRun } from '../run/abandon-run.ts';
import { unfinishedClaim } from '../run/choose-run.ts';
import { connectTarget } from '../run/connections.ts';
import { withLock } from '../run/with-lock.ts';
import { type CommandContext, type CommandResult, runKeyOf } from './command.ts';
import { lockRequest } from './lock-request.ts';

/** Ends an unfinished run: its index is deleted, the alias stays where it is, the fleet is free again. */
export async function abandonCommand(context: CommandContext): Promise<CommandResult> {
  const { offline, reporter } = context;
  const { store, settings } = offline;
  const nothing = { status: 'nothing to abandon', fleet: settings.fleet };
  if ((await unfinishedClaim(store)) === null) return nothing;
  const connections = await connectTarget(offline, reporter);
  try {
    return await withLock(await lockRequest(context, 'abandon'), async (lock, signal) => {
      const { cluster } = connections;
      const runKey = runKeyOf(context);
      const claim = await abandonRun({ store, cluster, lock, clock: systemClock, signal, runKey });
      if (claim === null) return nothing;
      const { index } = targetNames(claim.alias, claim.run);
      reporter.note(`run ${claim.runKey} is abandoned, ${index} is deleted`);
      return { status: 'abandoned', run_key: claim.runKey, run: claim.run, deleted: index };
    });
  } finally {
    await connections.close();
  }
}
