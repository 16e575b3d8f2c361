import { expect, it } from 'vitest';
import type { DescribedDefinition } from '../../definition/definition.ts';
import { parseDefinition } from '../../definition/load.ts';
import { finishedBody } from '../../orchestrator/index/mapping.ts';
import type { HttpMethod, SearchCalls } from '../../orchestrator/index/search-calls.ts';
import { validateTarget } from '../../orchestrator/index/validate.ts';
import type { ValidationSource } from '../../orchestrator/index/validation-source.ts';

/** A cluster that counts right and searches wrong, as one was seen to do, proves nothing: neither loss nor wholeness. */

const DEFINITION =
  'name: places\nalias: places\nsource: { table: places, key: id }\ndocument: { name: places.name }\n';
const DESCRIBED: DescribedDefinition = {
  definition: parseDefinition(DEFINITION, 'places.yaml').definition,
  fields: [{ name: 'name', oid: 25 }],
  changedAtOid: null,
};
const META = {
  schema: 1,
  fleet: 'small',
  run: 'r1',
  run_key: 'k',
  alias: 'places',
  definition: 'places',
  definition_digest: 'd1',
  role: 'target',
  created_at: '2026-01-01T00:00:00.000Z',
} as const;
/** The index is what was asked for. */
const BUILT = { aliases: {}, ...finishedBody(DESCRIBED, META) };
const SHARDS = { _shards: { total: 1, successful: 1, failed: 0 } };

/** Three documents are counted in the index; `found` of them are found. */
function clusterThatFinds(found: readonly number[]): SearchCalls {
  const answer = (_method: HttpMethod, path: string, body?: unknown): unknown => {
    const isCompanion = path.includes('dead-letters');
    const isOfDropped = JSON.stringify(body)?.includes('_ignored') ?? false;
    if (path.includes('/_count')) return { count: isCompanion || isOfDropped ? 0 : 3, ...SHARDS };
    const hits = (isCompanion ? [] : found).map((id) => ({ sort: [id] }));
    return { hits: { hits }, timed_out: false, ...SHARDS };
  };
  return {
    where: 'nowhere',
    call: async (method, path, body) => answer(method, path, body),
    callText: async (method, path, body) => JSON.stringify(answer(method, path, body)),
    callOrNull: async (_method, path) => (path.startsWith('/places-1?') ? { 'places-1': BUILT } : null),
    search: () => Promise.reject(new Error('not asked for')),
  };
}

const TABLE: ValidationSource = {
  count: async () => ({ rows: 3, kept: 3 }),
  placement: async () => ({ rows: 3, placed: 3 }),
  async *keys() {
    yield [1n, 2n, 3n];
  },
  fractions: async () => [],
  sampleKeys: async () => [],
  expectedRows: async () => [],
};

function validate(cluster: SearchCalls) {
  return validateTarget({
    cluster,
    source: TABLE,
    described: DESCRIBED,
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
