import { describe, expect, inject, it } from 'vitest';
import { call, count, uniqueName } from '../support/search-calls.ts';

/**
 * The fence of a pass. Nothing lands once a write block is acknowledged, not even from bulks that were admitted before.
 * Everything that was acknowledged before has landed.
 */
const CLUSTERS = {
  OpenSearch: inject('searchUrl'),
  'the development node': inject('developmentUrl'),
};
const BULKS = 60;
const DOCUMENTS = 200;

for (const [name, url] of Object.entries(CLUSTERS)) {
  describe.skipIf(url === null)(`a write block on ${name}`, () => {
    it('lets no document land after the block is acknowledged', async () => {
      const index = uniqueName('block');
      const mappings = { properties: { id: { type: 'long' } } };
      const body = { mappings, settings: { number_of_replicas: 0 }, aliases: { [`${index}-write`]: {} } };
      await call(url ?? '', 'PUT', `/${index}`, body);

      const sent = Array.from({ length: BULKS }, (_, i) =>
        indexDocuments(url ?? '', `${index}-write`, i * DOCUMENTS),
      );
      await Promise.race(sent);
      const block = await call(url ?? '', 'PUT', `/${index}/_block/write`);
      await call(url ?? '', 'POST', `/${index}/_refresh`);
      const atTheBlock = await count(url ?? '', index);
      const indexed = await Promise.all(sent);
      await call(url ?? '', 'POST', `/${index}/_refresh`);
      const afterwards = await count(url ?? '', index);
      await call(url ?? '', 'DELETE', `/${index}`);

      expect(block.body).toMatchObject({ acknowledged: true, shards_acknowledged: true });
      expect(afterwards).toBe(atTheBlock);
      expect(indexed.reduce((sum, items) => sum + items, 0)).toBe(afterwards);
    });
  });
}

/** How many of the documents the cluster says that it has indexed. */
async function indexDocuments(url: string, alias: string, first: number): Promise<number> {
  const lines = Array.from({ length: DOCUMENTS }, (_, i) => {
    const id = first + i;
    return `{"index":{"_id":"${id}"}}\n{"id":${id}}\n`;
  });
  const response = await fetch(`${url}/${alias}/_bulk?require_alias=true`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: lines.join(''),
  });
  const { items = [] } = (await response.json()) as { items?: { index: { status: number } }[] };
  return items.filter(({ index }) => index.status < 300).length;
}
