import { RunFailed, Superseded } from '../errors.ts';
import { deleteTarget } from '../index/create.ts';
import { targetNames } from '../index/names.ts';
import { runFolder, writeClaim } from '../journal/claims.ts';
import { RunJournal } from '../journal/run-journal.ts';
import { unfinishedClaim } from '../run/choose-run.ts';
import { connectTarget } from '../run/connections.ts';
import { withLock } from '../run/with-lock.ts';
import { type CommandContext, type CommandResult, runKeyOf } from './command.ts';
import { lockRequest } from './lock-request.ts';

/** Ends an unfinished run: its index is deleted, the alias stays where it is, the fleet is free again. */
export async function abandonCommand(context: CommandContext): Promise<CommandResult> {
  const { offline, reporter } = context;
  if ((await unfinishedClaim(offline.store)) === null)
    return { status: 'nothing to abandon', fleet: offline.settings.fleet };
  const connections = await connectTarget(offline, reporter);
  try {
    return await withLock(await lockRequest(context, 'abandon'), async (lock, held) => {
      const claim = await unfinishedClaim(offline.store);
      const wanted = runKeyOf(context);
      if (claim === null) return { status: 'nothing to abandon', fleet: offline.settings.fleet };
      if (wanted !== null && wanted !== claim.runKey)
        throw new RunFailed(`the fleet is held by the run with key ${claim.runKey}, not by ${wanted}`);
      const journal = await RunJournal.open({
        store: offline.store,
        runFolder: runFolder(claim.runKey),
        epoch: lock.epoch,
        requireHeld: () => lock.requireHeld(),
        now: () => new Date(),
      });
      if (journal.state.promotion !== null)
        throw new RunFailed(
          `run ${claim.runKey} has moved the alias already: finish it with \`reindex-fleet run\`, then \`reindex-fleet rollback\` if it must not stay`,
        );
      const names = targetNames(claim.alias, claim.run);
      held.throwIfAborted();
      await deleteTarget(connections.cluster, names, claim.run);
      const at = new Date().toISOString();
      await journal.append([{ type: 'abandoned', at }]);
      const { schema: _schema, nonce: _nonce, ...content } = claim;
      if (!(await writeClaim(offline.store, { ...content, held: false, at, ended: 'abandoned' })))
        throw new Superseded('another process wrote the next claim; this one stops');
      reporter.note(`run ${claim.runKey} is abandoned, ${names.index} is deleted`);
      return { status: 'abandoned', run_key: claim.runKey, run: claim.run, deleted: names.index };
    });
  } finally {
    await connections.close();
  }
}
