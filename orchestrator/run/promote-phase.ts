import { RunFailed } from '../errors.ts';
import type { Stale } from '../reconcile/phase-records.ts';
import { requireAlias } from './alias-claim.ts';
import { staleIn } from './changed-rows.ts';
import { untilCopiesFollow } from '../index/copies.ts';
import { deadLetterWords } from '../index/dead-letter-words.ts';
import { type AliasMove, pointsTo, promoteTargets, readAlias } from '../index/promote.ts';
import type { AliasHolder } from '../reconcile/promotion.ts';
import type { RunEvent } from '../reconcile/events.ts';
import type { RunTarget } from '../reconcile/identity.ts';
import { plural } from '../report/words.ts';
import type { DescribedTarget, RunContext } from './context.ts';
import { restartOf } from './outdated-run.ts';
import type { PhaseOutcome } from './phase-outcome.ts';
import { requireReadersView } from './readers-gate.ts';

/**
 * Moves the aliases, unless more rows became dead letters than a definition or the person accepts, or readers would lose
 * something.
 */
export async function promotePhase(context: RunContext): Promise<PhaseOutcome<'promote'>> {
  const { connections, identity, journal, signal, targets } = context;
  const before = await movedBefore(context);
  if (before !== null) return before;
  for (const target of targets) await refuseDeadLetters(context, target);
  await untilReadersSeeAll(context);
  const stale = await staleByIndex(context);
  const seen = new Map<string, readonly AliasHolder[]>();
  for (const target of targets) seen.set(target.index, await requireReadersView(context, target));
  const moves: AliasMove[] = [];
  for (const target of identity.targets)
    moves.push(await intendedMove(context, target, seen.get(target.index) ?? []));
  // To look at what readers will see takes its time.
  for (const { alias } of identity.targets) await requireAlias(connections.cluster, alias, identity);
  signal.throwIfAborted();
  const promotions = await promoteTargets(connections.cluster, moves);
  await journal.append(
    promotions.map((record): RunEvent => ({ type: 'promoted', index: record.added.index, record })),
  );
  const moved = promotions.map(({ added, removed }) => ({
    index: added.index,
    previous_indexes: removed.map(({ index }) => index),
    stale: stale.get(added.index) ?? null,
  }));
  const words = promotions.map(({ alias, added, removed }) => {
    const from = removed.length === 0 ? '' : `, before ${removed.map(({ index }) => index).join(', ')}`;
    return `${alias} now serves ${added.index}${from}${staleWords(stale.get(added.index) ?? null)}`;
  });
  return { record: { targets: moved }, note: words.join('; ') };
}

/** Waits until every replica that will serve readers holds what was validated. */
async function untilReadersSeeAll({
  connections,
  identity,
  offline,
  reporter,
  clock,
  signal,
}: RunContext): Promise<void> {
  const waiting = {
    timeoutMs: offline.settings.target.health_timeout_ms,
    onWait: (words: string): void => reporter.note(words),
    clock,
    signal,
  };
  for (const { index } of identity.targets) await untilCopiesFollow(connections.cluster, index, waiting);
}

/**
 * The recorded moves, if the aliases are still as they left them. Then an earlier process was cut off right after them.
 */
async function movedBefore(context: RunContext): Promise<PhaseOutcome<'promote'> | null> {
  const { connections, identity, journal } = context;
  const { promotions, rolledBack } = journal.state;
  if (rolledBack !== null) return null;
  const moved: { index: string; previous_indexes: string[] }[] = [];
  for (const { alias, index } of identity.targets) {
    const promotion = promotions.get(index);
    if (promotion === undefined || !pointsTo(await readAlias(connections.cluster, alias), [index]))
      return null;
    moved.push({ index, previous_indexes: promotion.removed.map((holder) => holder.index) });
  }
  const words = identity.targets.map(({ alias, index }) => `${alias} serves ${index} already`);
  const stale = await staleByIndex(context);
  const targets = moved.map((target) => ({ ...target, stale: stale.get(target.index) ?? null }));
  return { record: { targets }, note: words.join('; ') };
}

/** Counts what each index does not have of its table, by index. */
async function staleByIndex(context: RunContext): Promise<ReadonlyMap<string, Stale | null>> {
  const stale = new Map<string, Stale | null>();
  for (const target of context.targets) stale.set(target.index, await staleIn(context, target));
  return stale;
}

function staleWords(stale: Stale | null): string {
  if (stale === null || stale.rows === 0) return '';
  if (stale.rows === null) return '; nobody can say which rows have changed since they were read';
  return `; ${plural(stale.rows, 'row')} changed while it was proven, and ${stale.rows === 1 ? 'is' : 'are'} old in it`;
}

/**
 * Finds where an alias was before a move. An alias that has moved no longer says so. If the move was cut off between
 * call and record, its intent says it. If the move was made before, as when only another target was moved away since,
 * its record says it.
 *
 * @param expected where the alias stood when readers' view of the move was looked at
 */
async function intendedMove(
  { journal }: RunContext,
  { alias, index }: RunTarget,
  expected: readonly AliasHolder[],
): Promise<AliasMove> {
  const { promotionIntents, promotions } = journal.state;
  const known = promotionIntents.get(index) ?? promotions.get(index)?.removed;
  if (known !== undefined && pointsTo(expected, [index])) return { alias, index, expected: known };
  await journal.append([{ type: 'promotion_intended', index, expected }]);
  return { alias, index, expected };
}

async function refuseDeadLetters(
  { connections, identity, journal, promoteLimit }: RunContext,
  { alias, index, deadLetterIndex, described }: DescribedTarget,
): Promise<void> {
  const proof = journal.state.phases.validate?.record?.targets.find((target) => target.index === index);
  if (proof === undefined) {
    throw new RunFailed(
      `the journal has no record that ${index} was validated, so nobody has proven what it holds. The alias ${alias} stays where it is. Run \`reindex-fleet validate\`, then the same command again.`,
    );
  }
  const count = proof.dead_letters;
  const limit = promoteLimit ?? described.definition.deadLetters.promoteLimit;
  if (count <= limit) return;
  const examples = await deadLetterWords(connections.cluster, deadLetterIndex);
  throw new RunFailed(
    `rows that could not become documents: ${count}, more than promote_limit ${limit}. The alias stays where it is.\n${examples} Accept them with \`reindex-fleet promote --promote-limit ${count}\`, then \`reindex-fleet run\`. If the definition is the cause, mend it and give \`${restartOf(identity.runKey)}\`. To end the run, give \`reindex-fleet abandon\`.`,
  );
}
