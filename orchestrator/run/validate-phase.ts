import type { Key } from '../../definition/key/key-kind.ts';
import { type KeyRange, rangeFrom, rangeText } from '../../definition/key/key-range.ts';
import { RunFailed } from '../errors.ts';
import type { NamedKeys } from '../index/compare-keys.ts';
import { type Mismatch, validateTarget, type ValidationResult } from '../index/validate.ts';
import { beginPass, fencePass, resumePass } from '../passes/conduct-pass.ts';
import type { PlannedRange } from '../reconcile/run-plan.ts';
import { keyKindOfRun } from '../reconcile/state.ts';
import { countWords, plural } from '../report/words.ts';
import type { ProofBasis } from '../reconcile/phase-records.ts';
import { readChangedRows } from './changed-rows.ts';
import type { DescribedTarget, RunContext } from './context.ts';
import { differenceWords } from './difference-words.ts';
import { restartOf } from './outdated-run.ts';
import type { PhaseOutcome } from './phase-outcome.ts';
import { proofBasis } from './proof-state.ts';

/** A target and what its validation found. */
interface Proof {
  readonly target: DescribedTarget;
  readonly result: ValidationResult;
  readonly basis: ProofBasis;
}

/**
 * Proves that the indexes hold what the table holds, whatever the workers said. Rows that have changed since they were
 * read are read again first. Ranges that do not match are emptied
 * and read again once, in a pass of their own, because the table may have changed. If they still do not match, the run
 * fails.
 */
export async function validatePhase(context: RunContext): Promise<PhaseOutcome<'validate'>> {
  await finishRereading(context);
  await readChangedRows(context);
  const first: Proof[] = [];
  for (const target of context.targets) first.push(await prove(context, target));
  const failed = first.filter(({ result }) => !result.ok);
  if (failed.length === 0) return outcomeOf(context, first);
  for (const { result } of failed) context.reporter.warning(rereadWords(result));
  await readAgain(context, failed);
  const second: Proof[] = [];
  for (const proof of first)
    second.push(proof.result.ok ? proof : await prove(context, proof.target, proof.result.samples.keys));
  const refused = second.filter(({ result }) => !result.ok);
  if (refused.length === 0) return outcomeOf(context, second);
  throw new RunFailed(describeMismatches(refused, context.identity.runKey));
}

function rereadWords({ mismatches }: ValidationResult): string {
  const [example] = mismatches;
  return `${plural(mismatches.length, 'range')} did not match and ${mismatches.length === 1 ? 'is' : 'are'} read again once (keys ${example?.range.start ?? '…'} to ${example?.range.end ?? '…'}: ${example?.expected} expected, ${example?.found} found)`;
}

/** Finishes a re-reading pass that an earlier process began, with its write aliases. */
async function finishRereading(context: RunContext): Promise<void> {
  if (context.journal.state.pass?.kind !== 're-reading') return;
  await resumePass(context);
  await fencePass(context);
}

/** Reads every range again, for all targets, that did not match in one of them. */
async function readAgain(context: RunContext, failed: readonly Proof[]): Promise<void> {
  const kind = keyKindOfRun(context.journal.state);
  const mismatching = new Set(
    failed.flatMap(({ result }) => result.mismatches.map(({ range }) => rangeText(kind, range).start)),
  );
  const numbers = plannedRanges(context)
    .filter(({ start }) => mismatching.has(start))
    .map(({ number }) => number);
  await beginPass(context, {
    kind: 're-reading',
    reads: { kind: 'ranges', numbers },
    targets: failed.map(({ target }) => target.index),
    workers: 'fleet',
  });
  await fencePass(context);
}

async function prove(
  context: RunContext,
  target: DescribedTarget,
  sampleKeys?: readonly Key[],
): Promise<Proof> {
  const kind = keyKindOfRun(context.journal.state);
  const { clock, connections, offline, signal } = context;
  const { concurrency } = offline.settings.validate;
  const { described } = target;
  const basis = await proofBasis(context, target);
  const result = await connections.withValidationSource(described, (source) =>
    validateTarget({
      cluster: connections.cluster,
      source,
      described,
      names: target,
      ranges: plannedRanges(context).map((range) => rangeFrom(kind, range)),
      ...(sampleKeys === undefined ? {} : { sampleKeys }),
      byKeys: rangesByKeys(context),
      concurrency,
      clock,
      signal,
    }),
  );
  return { target, result, basis };
}

/**
 * Which ranges are compared key by key: all of them, or with `compare: counts` those that were assigned more than once.
 */
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

function outcomeOf({ identity }: RunContext, proofs: readonly Proof[]): PhaseOutcome<'validate'> {
  return {
    note: proofs.map(({ result }) => proofOf(result)).join('; '),
    record: {
      targets: proofs.map((proof) => ({
        index: proof.target.index,
        ...summaryOf(proof, identity.startedAt),
      })),
    },
  };
}

/** Says in a few words what was proven. */
function proofOf(result: ValidationResult): string {
  const { deadLetters, ranges, rangesByKeys, samples } = result;
  const letters = deadLetters === 0 ? '' : ` and ${plural(deadLetters, 'dead letter')}`;
  const how =
    rangesByKeys === ranges
      ? `, key by key, in ${plural(ranges, 'range')}`
      : ` counted in ${plural(ranges, 'range')}, ${countWords(rangesByKeys)} of them key by key`;
  return `${plural(result.documents, 'document')}${letters}${how}; ${plural(samples.keys.length, 'sample')} compared`;
}

type ProvenTarget = PhaseOutcome<'validate'>['record']['targets'][number];

/** @param began when the main pass began. A phase that is carried on begins anew, and rows are not read again for it */
function summaryOf({ target, result, basis }: Proof, began: string): Omit<ProvenTarget, 'index'> {
  const live = target.described.definition.source.changedAt === null;
  return {
    rows: result.rows,
    filtered: result.filtered,
    documents: result.documents,
    dead_letters: result.deadLetters,
    ranges: result.ranges,
    ranges_by_keys: result.rangesByKeys,
    samples_compared: result.samples.keys.length,
    rows_read_from: began,
    proven_at: basis.at,
    proof: basis,
    ...(live
      ? {
          remark: `rows were read from ${began} on; without changed_at, later updates of a row are not in the index`,
        }
      : {}),
  };
}

/** Names missing and surplus keys one by one, as far as that helps a person. */
function describeMismatches(refused: readonly Proof[], runKey: string): string {
  return [
    ...refused.flatMap(({ target, result }) => [
      `${target.index} does not hold what ${target.described.definition.source.table} holds. The alias ${target.alias} stays where it is.`,
      ...result.mismatches.slice(0, 5).map(describeMismatch),
      ...result.samples.differing
        .slice(0, 5)
        .map((difference) => differenceWords(difference, target.described.definition)),
    ]),
    `If the table is the cause, correct it and run the same command again. If the definition is the cause, mend it and give \`${restartOf(runKey)}\`. To end the run, give \`reindex-fleet abandon\`.`,
  ].join('\n');
}

function describeMismatch({ range, expected, found, keys }: Mismatch): string {
  const sameKeys = keys === null || [keys.missing, keys.surplus, keys.both].every(({ count }) => count === 0);
  const counts =
    expected !== found
      ? `${expected} expected, ${found} found`
      : sameKeys
        ? `${expected}, as expected, but samples differ`
        : `${expected}, as many as expected, but not the same`;
  const named = (what: string, some: NamedKeys | undefined): string =>
    some === undefined || some.count === 0 ? '' : `; ${what} ${some.count}: ${some.first.join(', ')}`;
  return [
    `keys ${range.start ?? '…'} to ${range.end ?? '…'}: ${counts}`,
    named('missing', keys?.missing),
    named('not in the table', keys?.surplus),
    named('both dead letter and document', keys?.both),
  ].join('');
}
