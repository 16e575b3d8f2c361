import { Client } from 'pg';
import { inject } from 'vitest';
import { parseLexemes } from './lexemes.ts';
import { SEARCH_URL } from './run-setup.ts';

const PAGE = 5_000;

type Documents = Readonly<Record<string, unknown>>;

/** All documents of an index or alias by their `_id`, with their numbers digit by digit. The key's field is `id`. */
export async function documentsOf(index: string, searchUrl = SEARCH_URL): Promise<Documents> {
  return Object.fromEntries((await hitsOf(index, searchUrl)).map(({ _id, _source }) => [_id, _source]));
}

/** How often each document was written. */
export async function documentVersions(index: string, searchUrl = SEARCH_URL): Promise<Documents> {
  return Object.fromEntries(
    (await hitsOf(index, searchUrl)).map(({ _id, _version }) => [_id, Number(_version.number)]),
  );
}

async function hitsOf(index: string, searchUrl: string): Promise<readonly Hit[]> {
  // The node for development gives versions unasked.
  const version = searchUrl === inject('developmentUrl') ? {} : { version: true };
  const found: Hit[] = [];
  for (;;) {
    const last = found.at(-1);
    const after = last === undefined ? {} : { search_after: [last._id] };
    const hits = await page(`${searchUrl}/${index}`, {
      size: PAGE,
      sort: [{ id: 'asc' }],
      ...version,
      ...after,
    });
    found.push(...hits);
    if (hits.length < PAGE) return found;
  }
}

interface Hit {
  readonly _id: string;
  readonly _source: unknown;
  readonly _version: { readonly number: string };
}

async function page(indexUrl: string, body: unknown): Promise<readonly Hit[]> {
  const response = await fetch(`${indexUrl}/_search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer = parseLexemes(await response.text()) as { hits: { hits: Hit[] } };
  return answer.hits.hits;
}

/** What the index must hold, by the table's own word: rows of `id` and `document`, a json of all fields. */
export async function documentsInTable(databaseUrl: string, query: string): Promise<Documents> {
  const rows = await sql<{ id: string; document: string }>(databaseUrl, query);
  return Object.fromEntries(rows.map(({ id, document }) => [id, parseLexemes(document)]));
}

/** Statements on a connection of their own; the rows of the last one. */
export async function sql<Row>(databaseUrl: string, text: string): Promise<Row[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const result: unknown = await client.query(text);
    const last = (Array.isArray(result) ? result.at(-1) : result) as { rows: Row[] };
    return last.rows;
  } finally {
    await client.end();
  }
}
