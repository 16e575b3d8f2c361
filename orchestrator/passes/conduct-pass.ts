import { openPass } from '../index/create.ts';
import { type FinalizeRecord, finalizeTarget } from '../index/finalize.ts';
import type { PassReport } from '../report/pass-report.ts';
import type { RunContext } from '../run/context.ts';
import { PASS_KINDS } from './kinds.ts';
import type { Pass } from './pass.ts';
import { targetsOf } from './pass-targets.ts';
import { workPass } from './work-pass.ts';

/** A pass that is not opened yet. Opening it gives it its number. */
export type NewPass = Omit<Pass, 'number'>;

/** Opens a pass and works it to its end. Its targets stay open for writing until `fencePass`. */
export async function beginPass(context: RunContext, pass: NewPass): Promise<PassReport> {
  const { journal } = context;
  await journal.append([{ type: 'pass_opened', pass: { ...pass, number: journal.state.lastPass + 1 } }]);
  return conduct(context);
}

/** Resumes the journal's present pass where an earlier process left it. */
export async function resumePass(context: RunContext): Promise<PassReport> {
  await context.journal.append([{ type: 'pass_resumed' }]);
  return conduct(context);
}

async function conduct(context: RunContext): Promise<PassReport> {
  const { connections, journal, signal } = context;
  const pass = presentPass(context);
  const targets = targetsOf(context, pass);
  signal.throwIfAborted();
  if (journal.state.given === 0) await PASS_KINDS[pass.kind].prepare(context, pass);
  for (const target of targets) await openPass(connections.cluster, target, pass.number);
  return workPass(context, pass);
}

/**
 * Ends the journal's present pass in the cluster, target by target. It sets a write block, which waits for bulks in
 * flight, then removes the write aliases. Then the indexes are ready for readers. It may be repeated.
 */
export async function fencePass(
  context: RunContext,
): Promise<readonly ({ readonly index: string } & FinalizeRecord)[]> {
  const { connections, offline, reporter, clock, signal } = context;
  const pass = presentPass(context);
  const options = {
    healthTimeoutMs: offline.settings.target.health_timeout_ms,
    onWait: (words: string): void => reporter.note(words),
    clock,
    signal,
  };
  const records: ({ readonly index: string } & FinalizeRecord)[] = [];
  for (const target of targetsOf(context, pass)) {
    const { described, ...names } = target;
    const ended = { definition: described.definition, names, pass: pass.number };
    records.push({ index: target.index, ...(await finalizeTarget(connections.cluster, ended, options)) });
  }
  return records;
}

function presentPass({ journal, identity }: RunContext): Pass {
  const { pass } = journal.state;
  if (pass !== null) return pass;
  throw new Error(`run ${identity.runKey} has no open pass`);
}
