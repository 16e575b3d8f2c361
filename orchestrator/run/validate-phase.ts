import type { Key } from '../../definition/key/key-kind.ts';
import { type KeyRange, rangeFrom, rangeText } from '../../definition/key/key-range.ts';
import { RunFailed } from '../errors.ts';
import { clearRanges } from '../index/clear-ranges.ts';
import { openPass } from '../index/create.ts';
import type { NamedKeys } from '../index/compare-keys.ts';
import { finalizeTarget } from '../index/finalize.ts';
import { targetNames } from '../index/names.ts';
import { type Mismatch, validateTarget, type ValidationResult } from '../index/validate.ts';
import type { PlannedRange } from '../reconcile/events.ts';
import { keyKindOfRun } from '../reconcile/state.ts';
import { countWords, plural } from '../report/words.ts';
import type { RunContext } from './context.ts';
import { finalizeOptions } from './index-phases.ts';
import type { PhaseOutcome } from './phases.ts';
import { workPass } from './reindex-phase.ts';

/**
 * Proves, independently of what workers said, that the index holds what the table holds. Ranges that do not match are
 * emptied and read again once in a pass of their own, since the table may have changed; what does not match then is refused.
 */
export async function validatePhase(context: RunContext): Promise<PhaseOutcome> {
  await finishRereading(context);
  const first = await validate(context);
  if (first.ok) return outcomeOf(context, first);
  const [example] = first.mismatches;
  context.reporter.warning(
    `${plural(first.mismatches.length, 'range')} did not match and ${first.mismatches.length === 1 ? 'is' : 'are'} read again once (keys ${example?.range.start ?? '…'} to ${example?.range.end ?? '…'}: ${example?.expected} expected, ${example?.found} found)`,
  );
  await readAgain(context, first);
  const second = await validate(context, first.samples.keys);
  if (second.ok) return outcomeOf(context, second);
  throw new RunFailed(describeMismatches(context, second));
}

/** A pass of re-reading that an earlier process began is brought to its end first, its write aliases too. */
async function finishRereading(context: RunContext): Promise<void> {
  const { journal } = context;
  if (journal.state.pass === journal.state.mainPass) return;
  await journal.append([{ type: 'pass_resumed' }]);
  await workRereading(context);
}

async function readAgain(context: RunContext, result: ValidationResult): Promise<void> {
  const { journal } = context;
  const pass = journal.state.pass + 1;
  const kind = keyKindOfRun(journal.state);
  const mismatching = new Set(result.mismatches.map(({ range }) => rangeText(kind, range).start));
  const numbers = plannedRanges(context)
    .filter(({ start }) => mismatching.has(start))
    .map(({ number }) => number);
  await journal.append([{ type: 'pass_opened', pass, numbers }]);
  await workRereading(context);
}

async function workRereading(context: RunContext): Promise<void> {
  const { clock, connections, journal, identity, described, signal } = context;
  const names = targetNames(identity.alias, identity.run);
  signal.throwIfAborted();
  if (journal.state.given === 0) {
    const ranges = journal.state.order.map((range) => rangeFrom(keyKindOfRun(journal.state), range));
    await clearRanges({ cluster: connections.cluster, described, names, ranges, clock, signal });
  }
  await openPass(connections.cluster, names, journal.state.pass);
  await workPass(context);
  await finalizeTarget(
    connections.cluster,
    described.definition,
    names,
    journal.state.pass,
    finalizeOptions(context),
  );
}

function validate(context: RunContext, sampleKeys?: readonly Key[]): Promise<ValidationResult> {
  const { clock, connections, described, identity, offline, signal } = context;
  const { concurrency } = offline.settings.validate;
  return connections.withValidationSource(described, (source) =>
    validateTarget({
      cluster: connections.cluster,
      source,
      described,
      names: targetNames(identity.alias, identity.run),
      ranges: plannedRanges(context).map((range) => rangeFrom(keyKindOfRun(context.journal.state), range)),
      ...(sampleKeys === undefined ? {} : { sampleKeys }),
      byKeys: rangesByKeys(context),
      concurrency,
      clock,
      signal,
    }),
  );
}

/** All, unless the settings say that counts do; even then those that were given out more than once. */
function rangesByKeys(context: RunContext): (range: KeyRange) => boolean {
  if (context.offline.settings.validate.compare === 'keys') return () => true;
  const { readTwice } = context.journal.state;
  const starts = new Set(
    plannedRanges(context)
      .filter(({ number }) => readTwice.has(number))
      .map(({ start }) => start),
  );
  const kind = keyKindOfRun(context.journal.state);
  return (range) => starts.has(rangeText(kind, range).start);
}

function plannedRanges({ journal }: RunContext): readonly PlannedRange[] {
  return journal.state.plan?.ranges ?? [];
}

function outcomeOf(context: RunContext, result: ValidationResult): PhaseOutcome {
  const { definition } = context.described;
  const live = definition.source.changedAt === null;
  // Nothing was read before; a phase that is carried on begins anew, and rows that were read before are not read again.
  const began = context.identity.startedAt;
  return {
    note: proofOf(result),
    record: {
      ...summaryOf(result),
      rows_read_from: began,
      ...(live
        ? {
            remark: `rows were read from ${began} on; without changed_at, later updates of a row are not in the index`,
          }
        : {}),
    },
  };
}

/** What was proven, in a few words. */
function proofOf(result: ValidationResult): string {
  const { deadLetters, ranges, rangesByKeys, samples } = result;
  const letters = deadLetters === 0 ? '' : ` and ${plural(deadLetters, 'dead letter')}`;
  const how =
    rangesByKeys === ranges
      ? `, key by key, in ${plural(ranges, 'range')}`
      : ` counted in ${plural(ranges, 'range')}, ${countWords(rangesByKeys)} of them key by key`;
  return `${plural(result.documents, 'document')}${letters}${how}; ${plural(samples.keys.length, 'sample')} compared`;
}

function summaryOf(result: ValidationResult): Record<string, unknown> {
  return {
    rows: result.rows,
    filtered: result.filtered,
    documents: result.documents,
    dead_letters: result.deadLetters,
    ranges: result.ranges,
    ranges_by_keys: result.rangesByKeys,
    samples_compared: result.samples.keys.length,
  };
}

/** Names what is missing and what is surplus, key by key, as far as a person can use it. */
function describeMismatches({ described, identity }: RunContext, result: ValidationResult): string {
  const { index } = targetNames(identity.alias, identity.run);
  return [
    `${index} does not hold what ${described.definition.source.table} holds; the alias ${identity.alias} stays where it is.`,
    ...result.mismatches.slice(0, 5).map(describeMismatch),
    ...result.samples.differing
      .slice(0, 5)
      .map(
        ({ key, field, expected, found }) =>
          `key ${key}, field ${field}: the table says ${expected}, the index ${found}`,
      ),
    'Mend this and run the same command again, or end the run with `reindex-fleet abandon`.',
  ].join('\n');
}

function describeMismatch({ range, expected, found, keys }: Mismatch): string {
  const counts =
    expected === found
      ? `${expected}, as many as expected, but not the same`
      : `${expected} expected, ${found} found`;
  const named = (what: string, some: NamedKeys | undefined): string =>
    some === undefined || some.count === 0 ? '' : `; ${what} ${some.count}: ${some.first.join(', ')}`;
  return [
    `keys ${range.start ?? '…'} to ${range.end ?? '…'}: ${counts}`,
    named('missing', keys?.missing),
    named('not in the table', keys?.surplus),
    named('both dead letter and document', keys?.both),
  ].join('');
}
