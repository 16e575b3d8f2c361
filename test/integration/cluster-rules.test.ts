import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import type { IndexDefinition } from '../../definition/definition.ts';
import type { SearchCluster } from '../../orchestrator/index/cluster.ts';
import { preflight } from '../../orchestrator/index/preflight.ts';
import { connect, itemsDefinition } from '../support/index-life.ts';
import { type OwnSearchNode, startOwnSearchNode } from '../support/own-search-node.ts';
import { call } from '../support/search-calls.ts';

const ALLOCATION = 'cluster.routing.allocation';
const WATERMARK = `${ALLOCATION}.disk.watermark`;
const AWARENESS = `${ALLOCATION}.awareness`;
/** An attribute that every OpenSearch node has by itself stands in for a zone. */
const ATTRIBUTE = 'shard_indexing_pressure_enabled';
const FULL_DISK = {
  [`${ALLOCATION}.disk.threshold_enabled`]: 'true',
  [`${WATERMARK}.low`]: '1%',
  [`${WATERMARK}.high`]: '2%',
  [`${WATERMARK}.flood_stage`]: '3%',
};
const REFRESH = {
  'cluster.default.index.refresh_interval': '10s',
  'cluster.minimum.index.refresh_interval': '10s',
};

type Index = Partial<IndexDefinition['index']>;
type Rules = Readonly<Record<string, string>>;

describe.skipIf(inject('searchUrl') === null)(
  'an index on a real cluster whose settings are the test’s own',
  () => {
    let node: OwnSearchNode;
    let cluster: SearchCluster;
    beforeAll(async () => {
      node = await startOwnSearchNode();
      cluster = await connect(node.url);
    });
    afterAll(async () => {
      await cluster?.close();
      await node?.stop();
    });
    const set = async (rules: Readonly<Record<string, string | null>>) => {
      if (Object.keys(rules).length === 0) return;
      const answer = await call(node.url, 'PUT', '/_cluster/settings', { persistent: rules });
      if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
    };
    afterEach(async () => {
      await call(node.url, 'DELETE', '/_index_template/items-rules');
      await call(node.url, 'DELETE', '/_template/items-rules');
      // What blocks every other change goes first. A full disk lets the cluster itself block new indexes.
      for (const block of ['read_only', 'read_only_allow_delete', 'create_index'])
        await set({ [`cluster.blocks.${block}`]: null });
      await set({ 'cluster.*': null, 'action.auto_create_index': null });
      await set({ 'cluster.blocks.create_index': null });
      const left = (await call(node.url, 'GET', '/_cluster/settings')).body['persistent'];
      if (JSON.stringify(left) !== '{}') throw new Error(`These rules are left: ${JSON.stringify(left)}`);
    });

    const judge = async (index: Index): Promise<string> => {
      const definition = itemsDefinition();
      const changed = { ...definition, index: { ...definition.index, numberOfReplicas: 0, ...index } };
      return preflight(cluster, changed).then(
        () => 'nothing',
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
    };

    it.for<readonly [what: string, rules: Rules, index: Index, words: RegExp]>([
      [
        'no allocation',
        { [`${ALLOCATION}.enable`]: 'none' },
        {},
        /^the cluster has the persistent setting .*enable: none/,
      ],
      [
        'the allocation of primaries alone',
        { [`${ALLOCATION}.enable`]: 'new_primaries' },
        { numberOfReplicas: 1, health: 'green' },
        /enable: new_primaries, so replicas find no place/,
      ],
      [
        'too few shards',
        { 'cluster.max_shards_per_node': '2' },
        {},
        /2 shards with their replicas, the index of the alias's claims 1, and the cluster has 0 of at most 2/,
      ],
      [
        'too few shards of a node',
        { [`${ALLOCATION}.total_shards_per_node`]: '2' },
        {},
        /places for 2 shards.*at most 2 \(cluster.routing.allocation.total_shards_per_node, 1 data node\)/,
      ],
      ['disks that are too full, by shares', FULL_DISK, {}, /above the high watermark.*high: 2%/],
      [
        'disks that are too full, by sizes',
        {
          ...FULL_DISK,
          [`${WATERMARK}.low`]: '9000tb',
          [`${WATERMARK}.high`]: '8000tb',
          [`${WATERMARK}.flood_stage`]: '7000tb',
        },
        {},
        /above the high watermark.*high: 8000tb/,
      ],
      [
        'a block of everything',
        { 'cluster.blocks.read_only': 'true' },
        {},
        /cluster\.blocks\.read_only: remove/,
      ],
      [
        'a block of all but deletions',
        { 'cluster.blocks.read_only_allow_delete': 'true' },
        {},
        /cluster\.blocks\.read_only_allow_delete: remove/,
      ],
      [
        'a block of new indexes',
        { 'cluster.blocks.create_index': 'true' },
        {},
        /blocks\.create_index: remove/,
      ],
      ['rare refreshes', REFRESH, {}, /none below 10s.*Write refresh_interval: 10s/],
      [
        'copies in every zone',
        {
          [`${AWARENESS}.attributes`]: ATTRIBUTE,
          [`${AWARENESS}.force.${ATTRIBUTE}.values`]: 'true,b',
          [`${AWARENESS}.balance`]: 'true',
        },
        { numberOfReplicas: 2, health: 'yellow' },
        /takes only multiples of 2 copies\. Write number_of_replicas: 1, 3 or 5\./,
      ],
      [
        'zones that no node has',
        { [`${AWARENESS}.attributes`]: 'zone' },
        {},
        /from the data node: embedded by .*awareness\.attributes: zone, which the node does not have/,
      ],
      [
        'a node that is emptied',
        { [`${ALLOCATION}.exclude._name`]: 'embed*' },
        {},
        /embedded by cluster\.routing\.allocation\.exclude\._name: embed\*/,
      ],
      ['another node', { [`${ALLOCATION}.require.box`]: 'hot' }, {}, /allocation\.require\.box: hot/],
      [
        'an address that no node has',
        {},
        { settings: { routing: { allocation: { include: { _ip: '10.0.0.*', box: 'a' } } } } },
        /include\._ip: 10\.0\.0\.\* or index\.routing\.allocation\.include\.box: a/,
      ],
    ])('is refused before anything is created because of %s', async ([, rules, index, words]) => {
      await set(rules);
      expect(await judge(index)).toMatch(words);
      expect((await call(node.url, 'GET', '/items*?expand_wildcards=all')).body).toEqual({});
    });

    it.for<readonly [what: string, rules: Rules, index: Index]>([
      [
        'replicas need not be placed',
        { [`${ALLOCATION}.enable`]: 'primaries' },
        { numberOfReplicas: 1, health: 'yellow' },
      ],
      ['no index may be created by a write', { 'action.auto_create_index': 'false' }, {}],
      [
        'shards just fit',
        { 'cluster.max_shards_per_node': '3', [`${ALLOCATION}.total_shards_per_node`]: '3' },
        {},
      ],
      ['another node is emptied', { [`${ALLOCATION}.exclude._name`]: 'other' }, {}],
      [
        'an attribute fits',
        { [`${ALLOCATION}.require.${ATTRIBUTE}`]: 'tr*' },
        { settings: { 'routing.allocation.include._host': 'elsewhere,127.0.0.1' } },
      ],
      ['the interval is long enough', REFRESH, { refreshInterval: '10s' }],
      [
        'copies are in every zone',
        {
          [`${AWARENESS}.attributes`]: ATTRIBUTE,
          [`${AWARENESS}.force.${ATTRIBUTE}.values`]: 'true,b,c',
          [`${AWARENESS}.balance`]: 'true',
        },
        { numberOfReplicas: 2, health: 'yellow' },
      ],
    ])('is not refused when %s', async ([, rules, index]) => {
      await set(rules);
      expect(await judge(index)).toBe('nothing');
    });

    it('is refused with all its faults at once', async () => {
      await set({
        ...FULL_DISK,
        ...REFRESH,
        'cluster.max_shards_per_node': '1',
        [`${ALLOCATION}.enable`]: 'none',
      });
      const faults = await judge({ settings: { 'routing.allocation.require.box': 'nowhere' } });
      for (const fault of [
        /enable: none/,
        /box: nowhere/,
        /none below 10s/,
        /max_shards_per_node/,
        /watermark/,
      ])
        expect(faults).toMatch(fault);
    });

    it.for(['_index_template', '_template'] as const)(
      'is refused before anything is created because of what an %s gives to the new index',
      async (kind) => {
        const given = {
          settings: { routing: { allocation: { require: { box: 'hot' } } }, refresh_interval: '5s' },
          aliases: { everybody: {} },
        };
        const body =
          kind === '_template'
            ? { index_patterns: ['items-*'], ...given }
            : { index_patterns: ['items-*'], template: given };
        expect((await call(node.url, 'PUT', `/${kind}/items-rules`, body)).status).toBe(200);
        expect(await judge({})).toMatch(
          /"items-rules" \(pattern "items-\*"\).*the alias "everybody"; index\.routing\.allocation\.require\.box: hot/,
        );
        // A definition that decides on the setting gets past it.
        expect(await judge({ settings: { 'routing.allocation.require.box': null } })).not.toMatch(/box/);
      },
    );
  },
);
