import { openFileStore } from '../../orchestrator/journal/file-store.ts';
import { claimHistory, currentClaim } from '../../orchestrator/journal/claims.ts';
import { readRun } from '../../orchestrator/journal/run-journal.ts';
import { rangeCounts, type RunState } from '../../orchestrator/reconcile/state.ts';
import type { JournalStore } from '../../orchestrator/journal/store.ts';
import { eventually } from './run-eventually.ts';
import type { RunSetup } from './run-setup.ts';

/** The newest run, by its journal. Null: there is none yet. */
export function stateOf({ journal }: RunSetup): Promise<RunState | null> {
  return newestState(openFileStore(journal));
}

export async function newestState(store: JournalStore): Promise<RunState | null> {
  const [claim] = await claimHistory(store);
  return claim === undefined ? null : (await readRun(store, claim.folder)).state;
}

export async function isHeld({ journal }: RunSetup): Promise<boolean> {
  return (await currentClaim(openFileStore(journal)))?.held === true;
}

/** Waits until the journal has this many ranges done. */
export async function rangesDone(setup: RunSetup, count: number): Promise<void> {
  await eventually(`${count} ranges are done`, async () => (await doneRanges(setup)) >= count);
}

export async function doneRanges(setup: RunSetup): Promise<number> {
  const state = await stateOf(setup);
  return state === null ? 0 : rangeCounts(state).done;
}
