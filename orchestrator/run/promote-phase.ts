import { RunFailed } from '../errors.ts';
import { targetNames } from '../index/names.ts';
import { type AliasHolder, pointsTo, promoteTarget, readAlias } from '../index/promote.ts';
import type { RunContext } from './context.ts';
import type { PhaseOutcome } from './phases.ts';

/** Moves the alias, unless more rows became dead letters than the definition (or the person) accepts. */
export async function promotePhase(context: RunContext): Promise<PhaseOutcome> {
  const { connections, identity, journal, described, signal } = context;
  const names = targetNames(identity.alias, identity.run);
  const before = await movedBefore(context);
  if (before !== null) return before;
  refuseDeadLetters(context, names.deadLetterIndex);
  const expected = await intendedMove(context);
  signal.throwIfAborted();
  const record = await promoteTarget(connections.cluster, {
    alias: identity.alias,
    index: names.index,
    expected,
  });
  const previous = record.removed.map(({ index }) => index);
  await journal.append([
    {
      type: 'promoted',
      record: { ...record, previous_indexes: previous, definition: described.definition.name },
    },
  ]);
  const from = previous.length === 0 ? '' : `, before ${previous.join(', ')}`;
  return {
    record: { index: names.index, previous_indexes: previous },
    note: `${identity.alias} now serves ${names.index}${from}`,
  };
}

/** The recorded move, where the alias still is as it left it: an earlier process was cut off right behind it. */
async function movedBefore({ connections, identity, journal }: RunContext): Promise<PhaseOutcome | null> {
  const { promotion, rolledBack } = journal.state;
  if (promotion === null || rolledBack !== null) return null;
  const { index } = targetNames(identity.alias, identity.run);
  if (!pointsTo(await readAlias(connections.cluster, identity.alias), [index])) return null;
  const { previous_indexes } = promotion;
  return { record: { index, previous_indexes }, note: `${identity.alias} serves ${index} already` };
}

/** A move that was cut off between call and record is told by its intent: afterwards the alias no longer says it. */
async function intendedMove({ connections, identity, journal }: RunContext): Promise<readonly AliasHolder[]> {
  const intent = journal.state.promotionIntent;
  const expected = await readAlias(connections.cluster, identity.alias);
  const moved = pointsTo(expected, [targetNames(identity.alias, identity.run).index]);
  if (intent !== null && moved) return intent.expected as readonly AliasHolder[];
  await journal.append([{ type: 'promotion_intended', record: { expected } }]);
  return expected;
}

function refuseDeadLetters({ described, journal, promoteLimit }: RunContext, deadLetterIndex: string): void {
  const count = Number(journal.state.phases.validate?.record?.dead_letters ?? 0);
  const limit = promoteLimit ?? described.definition.deadLetters.promoteLimit;
  if (count <= limit) return;
  throw new RunFailed(
    `rows that could not become documents: ${count}, more than promote_limit ${limit}; the alias stays where it is.\nLook at them with GET /${deadLetterIndex}/_search; accept them with \`reindex-fleet promote --promote-limit ${count}\`, then \`reindex-fleet run\`, or end the run with \`reindex-fleet abandon\`.`,
  );
}
