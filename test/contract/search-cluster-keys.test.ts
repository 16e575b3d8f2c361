import { describe, expect, inject, it } from 'vitest';
import type { Key } from '../../definition/key/key-kind.ts';
import type { KeyRange } from '../../definition/key/key-range.ts';
import { SearchCluster } from '../../orchestrator/index/cluster.ts';
import { targetKeys } from '../../orchestrator/index/target-keys.ts';
import { sketchDefinition } from '../support/definitions.ts';
import { call, uniqueName } from '../support/search-calls.ts';

/**
 * Every key of an index is seen, page by page, even when many of its documents were written again. OpenSearch 3.6.0 loses
 * some when a search may approximate (`track_total_hits: false`): it counts overwritten documents as found.
 */
const CLUSTERS = {
  OpenSearch: inject('searchUrl'),
  'the development node': inject('developmentUrl'),
};
const DOCUMENTS = 48_000;
const STRETCH = 6_000;
const BULK = 1_000;
const definition = sketchDefinition({ source: { table: 'items', key: 'id' }, document: {} });
const RANGES: readonly KeyRange[] = [
  { start: null, end: null },
  { start: 1n, end: null },
  { start: null, end: BigInt(DOCUMENTS) },
  { start: 101n, end: 46_001n },
  { start: 7_001n, end: 38_001n },
];

for (const [name, url] of Object.entries(CLUSTERS)) {
  describe.skipIf(url === null)(`reading the keys of an index on ${name}`, () => {
    it('finds all keys even if most documents were written twice', async () => {
      const index = uniqueName('keys');
      const settings = { number_of_replicas: 0, number_of_shards: 1, refresh_interval: '-1' };
      const mappings = { properties: { id: { type: 'long' } } };
      await call(url ?? '', 'PUT', `/${index}`, { mappings, settings });
      await writeInParts(url ?? '', index, () => true);
      await writeInParts(url ?? '', index, (id) => (id * 7_919) % 10 < 6);
      const cluster = await SearchCluster.connect({
        url: url ?? '',
        username: null,
        password: null,
        apiKey: null,
      });

      for (const range of RANGES) {
        const seen: Key[] = [];
        const signal = AbortSignal.timeout(30_000);
        for await (const page of targetKeys({ cluster, index, definition, range, copies: 'any', signal }))
          seen.push(...page);
        const first = Number(range.start ?? 1n);
        const last = Number(range.end ?? BigInt(DOCUMENTS + 1)) - 1;
        expect({ range, seen: seen.length, least: seen[0], greatest: seen.at(-1) }).toEqual({
          range,
          seen: last - first + 1,
          least: BigInt(first),
          greatest: BigInt(last),
        });
      }
      await cluster.close();
      await call(url ?? '', 'DELETE', `/${index}`);
    });
  });
}

/** Writes as a run does: stretches of keys side by side, each in several bulks, and a segment now and then. */
async function writeInParts(url: string, index: string, wanted: (id: number) => boolean): Promise<void> {
  for (let at = 0; at < STRETCH; at += BULK) {
    const ids = Array.from({ length: DOCUMENTS / STRETCH }, (_, part) =>
      Array.from({ length: BULK }, (_, i) => part * STRETCH + at + i + 1),
    );
    await Promise.all(ids.map((stretch) => write(url, index, stretch.filter(wanted))));
    await call(url, 'POST', `/${index}/_refresh`);
  }
}

async function write(url: string, index: string, ids: readonly number[]): Promise<void> {
  const response = await fetch(`${url}/${index}/_bulk`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: ids.map((id) => `{"index":{"_id":"${id}"}}\n{"id":${id}}\n`).join(''),
  });
  const { errors } = (await response.json()) as { errors: boolean };
  expect(errors).toBe(false);
}
