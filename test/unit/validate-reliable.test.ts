import { expect, it } from 'vitest';
import { parseDefinition } from '../../definition/load.ts';
import type { HttpMethod, SearchCalls } from '../../orchestrator/index/search-calls.ts';
import { validateTarget } from '../../orchestrator/index/validate.ts';
import type { ValidationSource } from '../../orchestrator/index/validation-source.ts';

/** A cluster that counts right and searches wrong, as one was seen to do, proves nothing: neither loss nor wholeness. */

const DEFINITION =
  'name: places\nalias: places\nsource: { table: places, key: id }\ndocument: { name: places.name }\n';
const SHARDS = { _shards: { total: 1, successful: 1, failed: 0 } };

/** Three documents are counted in the index; `found` of them are found. */
function clusterThatFinds(found: readonly number[]): SearchCalls {
  const answer = (_method: HttpMethod, path: string): unknown => {
    const isCompanion = path.includes('dead-letters');
    if (path.includes('/_count')) return { count: isCompanion ? 0 : 3, ...SHARDS };
    const hits = (isCompanion ? [] : found).map((id) => ({ sort: [id] }));
    return { hits: { hits }, timed_out: false, ...SHARDS };
  };
  return {
    where: 'nowhere',
    call: async (method, path) => answer(method, path),
    callText: async (method, path) => JSON.stringify(answer(method, path)),
    callOrNull: async () => null,
    search: () => Promise.reject(new Error('not asked for')),
  };
}

const TABLE: ValidationSource = {
  count: async () => ({ rows: 3, kept: 3 }),
  placement: async () => ({ rows: 3, placed: 3 }),
  async *keys() {
    yield [1n, 2n, 3n];
  },
  sampleKeys: async () => [],
  expectedRows: async () => [],
};

function validate(cluster: SearchCalls) {
  const { definition } = parseDefinition(DEFINITION, 'places.yaml');
  return validateTarget({
    cluster,
    source: TABLE,
    described: { definition, fields: [{ name: 'name', oid: 25 }], changedAtOid: null },
    names: { index: 'places-1', deadLetterIndex: 'places-1-dead-letters' },
    ranges: [{ start: null, end: null }],
    concurrency: 1,
    clock: { now: () => new Date(0), monotonicMs: () => 0, sleep: async () => {} },
    signal: new AbortController().signal,
  });
}

it('validation accepts a cluster whose searches find what it counts', async () => {
  expect(await validate(clusterThatFinds([1, 2, 3]))).toMatchObject({ ok: true, documents: 3 });
});

it('validation refuses to call a row missing when a search of the cluster left it out', async () => {
  await expect(validate(clusterThatFinds([1, 3]))).rejects.toThrow(
    /gave 2 keys .*, but a count gave 3 .*cannot be relied on/,
  );
});
