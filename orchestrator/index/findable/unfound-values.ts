import type { DescribedDefinition } from '../../../definition/definition.ts';
import type { Key } from '../../../definition/key/key-kind.ts';
import { keyKindOf } from '../../../definition/key/kinds.ts';
import { ClusterError, read } from '../cluster-error.ts';
import type { AskedCopies } from '../copies.ts';
import { askedSettings, targetProperties } from '../mapping.ts';
import { type SearchCalls, segment } from '../search-calls.ts';
import { requireWhole } from '../whole-answer.ts';
import type { Indexing } from './indexing.ts';
import { type Question, questionsOf } from './questions.ts';

export interface FindInput {
  readonly cluster: SearchCalls;
  readonly described: DescribedDefinition;
  readonly index: string;
  readonly copies: AskedCopies;
  /** The documents to find, each with what `_source` says of it. Numbers are Lexemes. */
  readonly documents: ReadonlyMap<Key, unknown>;
  readonly signal: AbortSignal;
}

export interface UnfoundValue extends Question {
  readonly key: Key;
}

/** Clusters allow 1,024 clauses in a query. */
const QUESTIONS_PER_SEARCH = 100;
const SEARCHES_PER_CALL = 100;
/** How many documents with an unfound value are looked at field by field. */
const MOST_LOOKED_AT = 20;

interface Search {
  readonly key: Key;
  readonly questions: readonly Question[];
}

/**
 * Asks the index for documents by the values that their fields hold, and returns the values that do not find their
 * document. `_source` shows what was sent; this shows what was indexed of it. One search asks for all values of a document.
 */
export async function unfoundValues(input: FindInput): Promise<UnfoundValue[]> {
  const properties = Object.entries(targetProperties(input.described));
  const indexing = indexingOf(input.described);
  const searches = [...input.documents].flatMap(([key, source]): Search[] => {
    const questions = properties.flatMap(([name, field]) =>
      questionsOf(name, field, read(source, name), indexing),
    );
    return inPieces(questions, QUESTIONS_PER_SEARCH).map((piece) => ({ key, questions: piece }));
  });
  const doubtful = (await find(input, searches)).filter(({ found }) => found !== true);
  const single = doubtful
    .slice(0, MOST_LOOKED_AT)
    .flatMap(({ search: { key, questions } }) =>
      questions.map((question): Search => ({ key, questions: [question] })),
    );
  // A question that the cluster does not understand says nothing about the index.
  const unfound = (await find(input, single)).filter(({ found }) => found === false);
  return unfound.flatMap(({ search: { key, questions } }) =>
    questions.map((question) => ({ ...question, key })),
  );
}

function indexingOf({ definition }: DescribedDefinition): Indexing {
  const asked = askedSettings(definition);
  return {
    dropsMalformed: asked['index.mapping.ignore_malformed'] === 'true',
    coerces: asked['index.mapping.coerce'] === 'true',
    ignoreAbove: Number(asked['index.mapping.ignore_above'] ?? Number.POSITIVE_INFINITY),
    ownDefaultAnalyzer: Object.keys(asked).some((name) => name.startsWith('index.analysis.analyzer.default')),
  };
}

interface Answer {
  readonly search: Search;
  /** Null where the cluster refused the question. */
  readonly found: boolean | null;
}

async function find(input: FindInput, searches: readonly Search[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const piece of inPieces(searches, SEARCHES_PER_CALL)) answers.push(...(await ask(input, piece)));
  return answers;
}

async function ask(
  { cluster, described, index, copies, signal }: FindInput,
  searches: readonly Search[],
): Promise<Answer[]> {
  const kind = keyKindOf(described.definition);
  const lines = searches.flatMap(({ key, questions }) => {
    const filter = [{ ids: { values: [kind.documentId(key)] } }, ...questions.map(({ query }) => query)];
    const header = copies === 'primary' ? { preference: '_primary' } : {};
    return [
      JSON.stringify(header),
      JSON.stringify({ size: 0, track_total_hits: true, query: { bool: { filter } } }),
    ];
  });
  const text = `${lines.join('\n')}\n`;
  const answer = await cluster.call('POST', `/${segment(index)}/_msearch`, text, { signal });
  const responses = read(answer, 'responses');
  const list: readonly unknown[] = Array.isArray(responses) ? responses : [];
  return searches.map((search, i) => ({ search, found: isFound(list[i], index) }));
}

function isFound(response: unknown, index: string): boolean | null {
  const error = read(response, 'error');
  const status = Number(read(response, 'status') ?? 0);
  if (error !== undefined && status === 400) return null;
  if (error !== undefined || response === undefined)
    throw new ClusterError(
      status === 0 ? 200 : status,
      'incomplete_answer',
      `finding samples of ${index} by their values is incomplete: ${JSON.stringify(error ?? 'an answer is missing')}. Look at the cluster's health and run the same command again.`,
    );
  requireWhole(response, `finding samples of ${index} by their values`);
  return Number(read(read(read(response, 'hits'), 'total'), 'value')) > 0;
}

function inPieces<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) =>
    list.slice(i * size, (i + 1) * size),
  );
}
