import { describe, expect, inject, it } from 'vitest';
import { keyKindNamed } from '../../definition/key/kinds.ts';
import { systemClock } from '../../orchestrator/clock.ts';
import { clearKeys } from '../../orchestrator/index/clear-keys.ts';
import { SearchCluster } from '../../orchestrator/index/cluster.ts';
import { forgetDeletions } from '../../orchestrator/index/forget-deletions.ts';
import { bulk, call, uniqueName } from '../support/search-calls.ts';

/** A row that is read again relies on this: its document is gone, and the cluster remembers nothing of its version. */
const CLUSTERS = { 'development node': inject('developmentUrl'), OpenSearch: inject('searchUrl') };

describe.each(Object.entries(CLUSTERS))('clearing keys on the search node %s', (_, url) => {
  it.skipIf(url === null)(
    'allows an older version to be written again, and leaves other keys alone',
    async () => {
      const base = url ?? '';
      const cluster = await SearchCluster.connect({
        url: base,
        username: null,
        password: null,
        apiKey: null,
      });
      const index = uniqueName('clearing');
      const mappings = { properties: { id: { type: 'long' } } };
      await call(base, 'PUT', `/${index}`, { mappings, aliases: { [`${index}-write`]: {} } });
      const write = (id: number, version: number) => [
        { index: { _id: String(id), version, version_type: 'external_gte' } },
        { id },
      ];
      await bulk(base, `${index}-write`, [...write(1, 1000), ...write(2, 1000), ...write(30, 1000)]);
      await call(base, 'POST', `/${index}/_refresh`);
      const kind = keyKindNamed('integer');
      if (kind === null) throw new Error('there is no kind of integer keys');
      const signal = AbortSignal.timeout(30_000);

      await forgetDeletions({ cluster, clock: systemClock, signal }, index, () =>
        clearKeys({ cluster, index, kind, signal }, [1n, 2n, 99n]),
      );
      const left = await cluster.search(index, { query: { match_all: {} } });
      const again = await bulk(base, `${index}-write`, [...write(1, 1000), ...write(2, 999)]);

      await call(base, 'DELETE', `/${index}`);
      await cluster.close();
      expect(left.sources).toEqual(['{"id":30}']);
      expect(again.map(({ status }) => status)).toEqual([201, 201]);
    },
  );
});
