import { inject } from 'vitest';
import { hitsIn } from './index-documents.ts';
import { SEARCH_URL } from './run-setup.ts';
import type { Documents } from './table-documents.ts';

export { documentsInTable, sql } from './table-documents.ts';

/** All documents of an index or alias by their `_id`, with their numbers digit by digit. The key's field is `id`. */
export async function documentsOf(index: string, searchUrl = SEARCH_URL): Promise<Documents> {
  return Object.fromEntries((await hitsIn(searchUrl, index)).map(({ _id, _source }) => [_id, _source]));
}

/** How often each document was written. */
export async function documentVersions(index: string, searchUrl = SEARCH_URL): Promise<Documents> {
  // The node for development gives versions unasked.
  const extra = searchUrl === inject('developmentUrl') ? {} : { version: true };
  const hits = await hitsIn(searchUrl, index, extra);
  return Object.fromEntries(hits.map(({ _id, _version }) => [_id, Number(_version.number)]));
}
