import type { Field, Indexing } from './indexing.ts';

const MOST_WORDS = 10;
const MOST_CHARACTERS = 300;

/**
 * The query for an analysed text. Only where the index and the search both use the standard analyzer is it known that
 * each word of a text finds it. Elsewhere only being there is asked. A text of which no word is left, such as "?!", finds
 * every document.
 */
export function textQuestion(
  path: string,
  field: Field,
  value: unknown,
  { ownDefaultAnalyzer }: Indexing,
): Readonly<Record<string, unknown>> {
  const there = { exists: { field: path } };
  const usual =
    field['analyzer'] === undefined && field['search_analyzer'] === undefined && !ownDefaultAnalyzer;
  const words = typeof value === 'string' && usual ? firstWords(value) : '';
  return words === ''
    ? there
    : { match: { [path]: { query: words, operator: 'and', zero_terms_query: 'all' } } };
}

/** Whole words from the beginning of a text. Empty if the first is too long already. */
function firstWords(text: string): string {
  let taken = '';
  for (const word of text
    .trim()
    .split(/[ \t\r\n]+/)
    .slice(0, MOST_WORDS)) {
    if (taken.length + word.length >= MOST_CHARACTERS) break;
    taken = taken === '' ? word : `${taken} ${word}`;
  }
  return taken;
}
