import { inject, describe, expect, it } from 'vitest';
import { systemClock } from '../../orchestrator/clock.ts';
import type { DescribedDefinition } from '../../definition/definition.ts';
import { clearRanges } from '../../orchestrator/index/clear-ranges.ts';
import { SearchCluster } from '../../orchestrator/index/cluster.ts';
import { bulk, call, uniqueName } from '../support/search-calls.ts';

/** A range that is read again relies on this: it is empty, and the cluster remembers nothing of what it held. */
const CLUSTERS = { 'development node': inject('developmentUrl'), OpenSearch: inject('searchUrl') };

describe.each(Object.entries(CLUSTERS))('clearing key ranges on the search node %s', (_, url) => {
  it.skipIf(url === null)(
    'allows a deleted version to be written again, and leaves other ranges alone',
    async () => {
      const cluster = await SearchCluster.connect({
        url: url ?? '',
        username: null,
        password: null,
        apiKey: null,
      });
      const index = uniqueName('clearing');
      const names = { index, deadLetterIndex: `${index}-dead-letters` };
      for (const name of Object.values(names)) {
        const mappings = { properties: { id: { type: 'long' } } };
        await call(url ?? '', 'PUT', `/${name}`, { mappings, aliases: { [`${name}-write`]: {} } });
      }
      const write = (id: number) => [
        { index: { _id: String(id), version: 1000, version_type: 'external_gte' } },
        { id },
      ];
      await bulk(url ?? '', `${index}-write`, [...write(1), ...write(2), ...write(30)]);
      await call(url ?? '', 'POST', `/${index}/_refresh`);

      const range = { start: null, end: 10n };
      await clearRanges({
        cluster,
        described: DESCRIBED,
        names,
        ranges: [range],
        clock: systemClock,
        signal: AbortSignal.timeout(30_000),
      });
      const left = await cluster.search(index, { query: { match_all: {} } });
      const again = await bulk(url ?? '', `${index}-write`, [...write(1), ...write(2)]);

      for (const name of Object.values(names)) await call(url ?? '', 'DELETE', `/${name}`);
      await cluster.close();
      expect(left.sources).toEqual(['{"id":30}']);
      expect(again.map(({ status }) => status)).toEqual([201, 201]);
    },
  );
});

const DESCRIBED: DescribedDefinition = {
  definition: {
    name: 'clearing',
    alias: 'clearing',
    source: {
      table: 't',
      as: 't',
      key: 'id',
      changedAt: 't.changed_at',
      joins: [],
      where: null,
      unusableChangedAt: 'dead_letter',
      timeZone: 'UTC',
    },
    document: [],
    unrepresentable: 'null',
    maxDocumentBytes: 1_000_000,
    deadLetters: { promoteLimit: 0, stopLimit: 1000, keepFields: [] },
    index: {
      settings: {},
      numberOfReplicas: 0,
      refreshInterval: '1s',
      forcemergeSegments: null,
      health: 'green',
    },
    promote: { shrinkLimit: null },
    pipeline: null,
    retain: 1,
  },
  fields: [],
  changedAtOid: 1184,
};
