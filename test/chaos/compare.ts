import { isDeepStrictEqual } from 'node:util';
import { claimHistory, runFolder } from '../../orchestrator/journal/claims.ts';
import { openFileStore } from '../../orchestrator/journal/file-store.ts';
import { currentHolder } from '../../orchestrator/journal/lock.ts';
import { readRun } from '../../orchestrator/journal/run-journal.ts';
import { rangeCounts } from '../../orchestrator/reconcile/state.ts';
import { hitsIn } from '../support/index-documents.ts';
import { call } from '../support/search-calls.ts';
import type { Documents } from '../support/table-documents.ts';
import { ALIAS, contentOf, type TableContent } from './table.ts';
import { onlyTarget } from '../support/run-values.ts';

export interface ComparisonInput {
  readonly databaseUrl: string;
  readonly searchUrl: string;
  /** The fleet's journal. */
  readonly journal: string;
  readonly runKey: string;
  /** The last line of the command that succeeded. */
  readonly result: Readonly<Record<string, unknown>>;
  /** Keys that changed after the proof began. Nobody can say what the index must hold of them. */
  readonly unprovable: ReadonlySet<string>;
  /** Whether the table changed while the run read it. Then rows may have been read that no longer exist. */
  readonly changed: boolean;
}

export interface Comparison {
  readonly documents: number;
  readonly differing: number;
  /** Everything that is not as it must be, a sentence each. It is empty when all is well. */
  readonly problems: readonly string[];
}

/** Compares what a finished run left behind with the table: index, dead letters, alias, result and journal. */
export async function compare(input: ComparisonInput): Promise<Comparison> {
  const content = await contentOf(input.databaseUrl);
  const index = String(onlyTarget(input.result)['index']);
  const [documents, letters] = await Promise.all([
    hitsIn(input.searchUrl, ALIAS),
    hitsIn(input.searchUrl, `${index}-dead-letters`),
  ]);
  const found = Object.fromEntries(documents.map(({ _id, _source }) => [_id, _source]));
  const foundLetters = Object.fromEntries(
    letters.map(({ _id, _source }) => [_id, (_source as { type?: unknown }).type]),
  );
  const differing = [
    ...differences('document', content.documents, found, input.unprovable),
    ...differences('dead letter', content.deadLetters, foundLetters, input.unprovable),
  ];
  return {
    documents: documents.length,
    differing: differing.length,
    problems: [
      ...differing.slice(0, 10),
      ...(await aliasProblems(input.searchUrl, index)),
      ...resultProblems(input, content),
      ...(await journalProblems(input)),
    ],
  };
}

/** Each key whose value differs between the two sides, as a sentence. */
function differences(
  what: string,
  expected: Documents,
  found: Documents,
  unprovable: ReadonlySet<string>,
): string[] {
  const keys = new Set([...Object.keys(expected), ...Object.keys(found)]);
  return [...keys].flatMap((key) => {
    if (unprovable.has(key) || isDeepStrictEqual(expected[key], found[key])) return [];
    if (!(key in expected)) return [`${what} ${key} is in the index, and must not be`];
    if (!(key in found)) return [`${what} ${key} is missing in the index`];
    return [`${what} ${key} is ${short(found[key])} in the index, and must be ${short(expected[key])}`];
  });
}

function short(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 600 ? `${text.slice(0, 600)}…` : text;
}

async function aliasProblems(searchUrl: string, index: string): Promise<string[]> {
  const { status, body } = await call(searchUrl, 'GET', `/_alias/${ALIAS}`);
  const holders = status === 200 ? Object.keys(body) : [];
  return isDeepStrictEqual(holders, [index])
    ? []
    : [`the alias points to ${holders.join(', ') || 'nothing'}, and must point to ${index}`];
}

/** Compares the counts of the last line with the table. While the table changes, nobody can say what they must be. */
function resultProblems({ result, unprovable, changed }: ComparisonInput, content: TableContent): string[] {
  const { rows, hidden } = content;
  const deadLetters = Object.keys(content.deadLetters).length;
  const documents = rows - hidden - deadLetters;
  const target = onlyTarget(result);
  const validated = target['validated'] as Record<string, unknown> | null;
  const proven =
    unprovable.size === 0 ? { rows, filtered: hidden, documents, dead_letters: deadLetters } : {};
  const reported = changed
    ? {}
    : { filtered: hidden, indexed: documents, superseded: 0, dead_letters: deadLetters };
  return [
    ...unequal('the result', { status: 'done', ...(changed ? {} : { rows }) }, result),
    ...unequal("the result's target", reported, target),
    ...unequal("the result's proof", proven, validated ?? {}),
  ];
}

function unequal(
  what: string,
  expected: Readonly<Record<string, unknown>>,
  found: Readonly<Record<string, unknown>>,
): string[] {
  return Object.entries(expected)
    .filter(([name, value]) => found[name] !== value)
    .map(([name, value]) => `${what} says ${name} ${String(found[name])}, and must say ${String(value)}`);
}

async function journalProblems({ journal, runKey, result }: ComparisonInput): Promise<string[]> {
  const store = openFileStore(journal);
  const claims = await claimHistory(store);
  const claim = claims.find((candidate) => candidate.runKey === runKey);
  const { state } = await readRun(store, claim?.folder ?? runFolder(runKey));
  const holder = await currentHolder(store);
  const { finished_before: _, ...said } = result;
  const { total, done } = rangeCounts(state);
  return [
    ...(isDeepStrictEqual(state.result, said)
      ? []
      : [`the journal's result is ${JSON.stringify(state.result)}`]),
    ...(done === total ? [] : [`in the journal ${done} of ${total} ranges are done`]),
    ...(state.desired === 0 ? [] : [`in the journal ${state.desired} workers are desired`]),
    ...(claim?.ended === 'finished' && claims.every(({ held }) => !held)
      ? []
      : [`the claims are ${JSON.stringify(claims)}`]),
    ...(holder === null ? [] : [`the lock is held by ${JSON.stringify(holder)}`]),
  ];
}
