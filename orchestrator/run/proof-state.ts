import { countIndex } from '../index/count-index.ts';
import { tryAgain } from '../index/try-again.ts';
import { pointsTo, readAlias } from '../index/promote.ts';
import type { ProofBasis } from '../reconcile/phase-records.ts';
import { countWords, durationWords, plural } from '../report/words.ts';
import { staleIn } from './changed-rows.ts';
import type { DescribedTarget, RunContext } from './context.ts';

/** What a proof that begins now is true of. It can be looked at again cheaply. */
export async function proofBasis(context: RunContext, { described }: DescribedTarget): Promise<ProofBasis> {
  const table = await context.connections.withChangesSource(described, (source) =>
    tryAgain(() => source.tableState(), context),
  );
  return { at: context.clock.now().toISOString(), epoch: context.lock.epoch, table };
}

/**
 * Says why the proof must be made again before the alias moves. Null: it holds, as far as that is cheap to see. A proof
 * that this process has just made is only compared with the index: a live table goes on changing.
 */
export async function faultOfProof(context: RunContext): Promise<string | null> {
  if (await hasMoved(context)) return null;
  for (const target of context.targets) {
    const fault = await faultOfTarget(context, target);
    if (fault !== null) return fault;
  }
  return null;
}

async function faultOfTarget(context: RunContext, target: DescribedTarget): Promise<string | null> {
  const { journal, clock, offline, lock } = context;
  const { index } = target;
  const { record = null, finishedAt = null } = journal.state.phases.validate ?? {};
  const proven = record?.targets.find((proof) => proof.index === index);
  if (finishedAt === null || proven?.proof === undefined)
    return `nothing says when ${index} was proven, and of what`;
  const { epoch, table } = proven.proof;
  // A proof of a large table takes hours. Its age counts from its end, or it would always be old.
  const ageMs = clock.now().getTime() - Date.parse(finishedAt);
  const maxAgeMs = offline.settings.validate.max_age_ms;
  if (Math.abs(ageMs) > maxAgeMs)
    return `${index} was proven at ${finishedAt}, more than ${durationWords(maxAgeMs / 1000)} ago (validate.max_age_ms)`;
  const changed = await faultOfIndex(context, target, proven);
  if (changed !== null || epoch === lock.epoch) return changed;
  return (await faultOfTable(context, target, table)) ?? faultOfRows(context, target);
}

async function faultOfIndex(
  { connections, signal }: RunContext,
  { index, deadLetterIndex }: DescribedTarget,
  proven: { readonly documents: number; readonly dead_letters: number },
): Promise<string | null> {
  const documents = await countIndex(connections.cluster, index, signal);
  const letters = await countIndex(connections.cluster, deadLetterIndex, signal);
  if (documents === proven.documents && letters === proven.dead_letters) return null;
  return `${index} holds ${plural(documents, 'document')} and ${plural(letters, 'dead letter')}, but ${countWords(proven.documents)} and ${countWords(proven.dead_letters)} were proven`;
}

async function faultOfTable(
  context: RunContext,
  target: DescribedTarget,
  then: ProofBasis['table'],
): Promise<string | null> {
  const { table } = await proofBasis(context, target);
  const name = target.described.definition.source.table;
  const { rows, writes, files } = table;
  if (rows !== null && then.rows !== null && rows !== then.rows)
    return `${name} holds ${plural(rows, 'row')}, but held ${countWords(then.rows)} when the index was proven`;
  if (writes !== null && then.writes !== null && writes !== then.writes)
    return `rows that the definition reads from ${name} or its joins were written since the index was proven`;
  if (files !== then.files) return `${name} or a table of its joins was emptied or rewritten`;
  return null;
}

async function faultOfRows(context: RunContext, target: DescribedTarget): Promise<string | null> {
  const stale = await staleIn(context, target);
  if (stale === null || stale.rows === 0) return null;
  if (stale.rows === null) return null;
  return `${plural(stale.rows, 'row')} of ${target.described.definition.source.table} changed since ${target.index} was proven`;
}

/** Whether the aliases have moved already, and only the record is missing. */
async function hasMoved({ connections, identity, journal }: RunContext): Promise<boolean> {
  const { promotionIntents, promotions, rolledBack } = journal.state;
  if (rolledBack !== null) return false;
  for (const { alias, index } of identity.targets) {
    if (!promotionIntents.has(index) && !promotions.has(index)) return false;
    if (!pointsTo(await readAlias(connections.cluster, alias), [index])) return false;
  }
  return true;
}
