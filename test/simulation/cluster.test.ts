import { describe, expect, it } from 'vitest';
import { type ItemOutcome, VirtualCluster } from './cluster.ts';
import { Scheduler } from './scheduler.ts';

/**
 * These tests show what the simulation's cluster does beyond the development node. The contract suite holds that node to
 * OpenSearch. A real cluster was measured to do the same; test/contract/search-cluster-block.test.ts tries it.
 */

async function world() {
  const scheduler = new Scheduler();
  const late: string[] = [];
  const cluster = new VirtualCluster(scheduler, {
    lateWrite: (alias) => late.push(alias),
    promoted: () => {},
    deleted: () => {},
  });
  const mappings = { properties: { id: { type: 'long' } } };
  await cluster.call('PUT', '/places', { mappings, aliases: { 'places-write-1': {} } });
  const pass = (ms: number): Promise<void> => scheduler.run(scheduler.nowMs + ms, () => false);
  const bulk = (key: bigint, queueMs: number): Promise<ItemOutcome[]> =>
    cluster.bulk('places-write-1', [{ key, document: `{"id":${key}}` }], queueMs);
  return { cluster, late, pass, bulk };
}

describe('the simulated search cluster', () => {
  it('applies a bulk that was admitted, even if its alias is removed meanwhile', async () => {
    const { cluster, pass, bulk } = await world();
    const sent = bulk(1n, 5_000);
    await cluster.call('DELETE', '/places/_alias/places-write-1', null);
    await pass(6_000);
    expect(await sent).toEqual([{ ok: true }]);
    expect(cluster.keysOf('places')).toEqual(new Set(['1']));
  });

  it('acknowledges a write block only after admitted bulks have landed, and admits none meanwhile', async () => {
    const { cluster, late, pass, bulk } = await world();
    const sent = bulk(1n, 5_000);
    let acknowledgedWith: Set<string> | null = null;
    const block = cluster.call('PUT', '/places/_block/write', null).then((answer) => {
      acknowledgedWith = cluster.keysOf('places');
      return answer;
    });
    await pass(1_000);
    expect(acknowledgedWith).toBeNull();
    expect(await bulk(2n, 0)).toEqual([{ ok: false, status: 403, type: 'cluster_block_exception' }]);
    await pass(6_000);
    expect(await sent).toEqual([{ ok: true }]);
    expect((await block).status).toBe(200);
    expect(acknowledgedWith).toEqual(new Set(['1']));
    expect(late).toEqual([]);
  });
});
