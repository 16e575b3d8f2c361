import { parseLexemes } from './lexemes.ts';

const PAGE = 5_000;

/** A document as a search gives it, its numbers digit by digit. */
export interface Hit {
  readonly _id: string;
  readonly _source: unknown;
  /** If it was asked for. */
  readonly _version: { readonly number: string };
}

/** All documents of an index or alias whose key's field is `id`; `extra` goes with the search. */
export async function hitsIn(searchUrl: string, index: string, extra: object = {}): Promise<readonly Hit[]> {
  const found: Hit[] = [];
  for (;;) {
    const last = found.at(-1);
    const after = last === undefined ? {} : { search_after: [last._id] };
    const hits = await page(searchUrl, index, { size: PAGE, sort: [{ id: 'asc' }], ...extra, ...after });
    found.push(...hits);
    if (hits.length < PAGE) return found;
  }
}

async function page(searchUrl: string, index: string, body: unknown): Promise<readonly Hit[]> {
  const response = await fetch(`${searchUrl}/${index}/_search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`A search in ${index} was answered with ${response.status}: ${text}`);
  const answer = parseLexemes(text) as { hits: { hits: Hit[] } };
  return answer.hits.hits;
}
