import { indexNameFault } from '../../definition/names.ts';
import { UsageFault } from '../errors.ts';
import { freeAlias } from '../run/alias-claim.ts';
import { connectTarget } from '../run/connections.ts';
import type { RecordContext, CommandResult } from './command.ts';

/**
 * Does `abandon --alias`: it frees an alias of a claim that a run has left in the cluster. Without `--force` it frees
 * only what this fleet's journal knows to be over. It touches no index and no alias.
 *
 * @throws UsageFault when the alias can be none
 * @throws FleetHeld when the claim is that of a run that this journal does not know
 */
export async function freeAliasCommand(context: RecordContext): Promise<CommandResult> {
  const { flags, offline, reporter } = context;
  const alias = String(flags.alias);
  const fault = indexNameFault(alias);
  if (fault !== null) throw new UsageFault(`--alias: ${fault}`);
  const connections = await connectTarget(offline, reporter);
  try {
    const { store, settings } = offline;
    const force = flags.force === true;
    const freed = await freeAlias(connections.cluster, alias, { store, fleet: settings.fleet, force });
    if (freed === null) return { status: 'nothing to free', alias };
    reporter.note(
      `the alias ${alias} is free of the claim of run ${freed.run_key} of the fleet ${freed.fleet}`,
    );
    return { status: 'freed', alias, claim: freed };
  } finally {
    await connections.close();
  }
}
