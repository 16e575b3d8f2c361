import { describe, expect, it } from 'vitest';
import type { IndexDefinition } from '../../definition/definition.ts';
import {
  allocationFaults,
  blockFaults,
  nodeFaults,
  placeFaults,
} from '../../orchestrator/index/limits/allocation.ts';
import { type ClusterFacts, settingsIn } from '../../orchestrator/index/limits/cluster-facts.ts';
import { copiesFaults } from '../../orchestrator/index/limits/copies.ts';
import { judgeDisk } from '../../orchestrator/index/limits/disk.ts';
import { nodeRules } from '../../orchestrator/index/limits/node-rules.ts';
import { refreshFaults } from '../../orchestrator/index/limits/refresh-interval.ts';
import { shardFaults } from '../../orchestrator/index/limits/shards.ts';
import { askedSettings } from '../../orchestrator/index/mapping.ts';
import { itemsDefinition } from '../support/index-life.ts';

const GIB = 1024 ** 3;
const AWARENESS = 'cluster.routing.allocation.awareness';
const WATERMARK = 'cluster.routing.allocation.disk.watermark';

function facts(persistent: Record<string, unknown>, more: Partial<ClusterFacts> = {}): ClusterFacts {
  return {
    settings: settingsIn({ persistent }),
    dataNodes: 3,
    nodes: null,
    shards: 0,
    placedShards: more.shards ?? 0,
    disks: null,
    ...more,
  };
}

function wanting(index: Partial<IndexDefinition['index']>): IndexDefinition {
  const definition = itemsDefinition();
  return { ...definition, index: { ...definition.index, ...index } };
}

describe('a limit of the cluster', () => {
  it('on copies is met by multiples of its zones only, and the allowed numbers are named', () => {
    const zones = facts({
      [`${AWARENESS}.attributes`]: 'rack,zone',
      [`${AWARENESS}.force.zone.values`]: ['a', 'b', 'c'],
      [`${AWARENESS}.balance`]: 'true',
    });
    expect(copiesFaults(wanting({ numberOfReplicas: 2 }), zones)).toEqual([]);
    expect(copiesFaults(wanting({ numberOfReplicas: 5 }), zones)).toEqual([]);
    const [fault] = copiesFaults(wanting({ numberOfReplicas: 1 }), zones);
    expect(fault).toMatch(/3 values of the attribute "zone" \(a, b, c;.*number_of_replicas: 2, 5 or 8/);
    expect(
      copiesFaults(wanting({ numberOfReplicas: 1 }), facts({ [`${AWARENESS}.attributes`]: 'zone' })),
    ).toEqual([]);
  });

  it.each([
    ['10s', '1s', 1],
    ['10s', '9999ms', 1],
    ['10s', '10s', 0],
    ['10s', '1m', 0],
    ['10s', '-1', 0],
    ['0ms', '1s', 0],
  ])('on refreshes of %s refuses an interval of %s: %i fault', (minimum, refreshInterval, count) => {
    const limits = facts({ 'cluster.minimum.index.refresh_interval': minimum });
    expect(refreshFaults(wanting({ refreshInterval }), limits)).toHaveLength(count);
  });

  it('that is transient comes before one that is persistent, and that before the nodes’ own', () => {
    const name = 'cluster.minimum.index.refresh_interval';
    const settings = settingsIn({
      defaults: { [name]: '1s' },
      transient: { [name]: '3s' },
      persistent: { [name]: '2s' },
    });
    expect(settings.get(name)).toEqual({ value: '3s', level: 'transient' });
  });

  it.each([
    ['cluster.max_shards_per_node', 10, 21, 1],
    ['cluster.max_shards_per_node', 10, 20, 0],
    ['cluster.routing.allocation.total_shards_limit', 30, 21, 1],
    ['cluster.routing.allocation.total_shards_limit', -1, 21, 0],
    ['cluster.routing.allocation.total_shards_per_node', 10, 21, 1],
  ])('on shards (%s: %i) counts replicas beside %i shards: %i fault', (name, value, shards, count) => {
    // Four shards and one of the companion, each with a replica.
    const definition = wanting({ settings: { number_of_shards: 4 }, numberOfReplicas: 1 });
    const found = shardFaults(definition, facts({ [name]: String(value) }, { shards }));
    expect(found).toHaveLength(count);
    expect(found.join('')).toMatch(count === 0 ? /^$/ : /10 shards.*21 of at most 30/);
  });

  it('that the index sets itself on shards of a node is compared with the nodes', () => {
    const settings = { number_of_shards: 4, 'routing.allocation.total_shards_per_node': 1 };
    expect(shardFaults(wanting({ settings }), facts({}))).toHaveLength(1);
    expect(shardFaults(wanting({ settings }), facts({}, { dataNodes: 4 }))).toEqual([]);
  });

  it.each([
    ['none', {}, {}, 1],
    ['none', { settings: { 'routing.allocation.enable': 'all' } }, {}, 0],
    ['all', { settings: { routing: { allocation: { enable: 'none' } } } }, {}, 1],
    ['primaries', { numberOfReplicas: 1 }, {}, 1],
    ['new_primaries', { numberOfReplicas: 1, health: 'yellow' as const }, {}, 0],
    ['primaries', { numberOfReplicas: 0 }, {}, 0],
  ])('on allocation (%s) meets an index with %j', (enable, index, _more, count) => {
    const limits = facts({ 'cluster.routing.allocation.enable': enable });
    expect(allocationFaults(wanting(index), limits)).toHaveLength(count);
  });

  it.each<[persistent: Record<string, string>, own: Record<string, unknown>, holds: readonly string[]]>([
    [{}, {}, ['a1', 'b2']],
    [{}, { require: { zone: 'a' } }, ['a1']],
    [{}, { require: { zone: 'a', _name: 'b*' } }, []],
    [{}, { require: { zone: 'a,b' } }, []],
    [{}, { include: { zone: 'a', _name: 'b*' } }, ['a1', 'b2']],
    [{}, { exclude: { zone: 'a', _ip: '10.0.0.2' } }, []],
    [{}, { exclude: { zone: '' }, include: { _tier_preference: 'data_hot' } }, ['a1', 'b2']],
    [{ 'exclude._host': 'host-?' }, {}, ['a1', 'b2']],
    [{ 'exclude._host': 'host-*' }, {}, []],
    [{ 'require.zone': 'b' }, { include: { zone: 'a' } }, []],
    [{ 'awareness.attributes': 'zone' }, {}, ['a1', 'b2']],
    [{ 'awareness.attributes': 'zone,rack' }, {}, ['a1']],
  ])('on nodes of %j leaves an index with %j to the nodes %j', (persistent, own, holds) => {
    const nodes = [
      { id: 'x', name: 'a1', host: 'host-1', ip: '10.0.0.1', attributes: { zone: 'a', rack: 'r' } },
      { id: 'y', name: 'b2', host: 'host-2', ip: '10.0.0.2', attributes: { zone: 'b' } },
    ];
    const named = Object.fromEntries(
      Object.entries(persistent).map(([name, value]) => [`cluster.routing.allocation.${name}`, value]),
    );
    const definition = wanting({ settings: { routing: { allocation: own } } });
    const rules = nodeRules(askedSettings(definition), facts(named));
    expect(nodes.filter((node) => rules.every((rule) => rule.allows(node))).map(({ name }) => name)).toEqual(
      holds,
    );
    expect(placeFaults(definition, facts(named, { nodes }))).toHaveLength(holds.length === 0 ? 1 : 0);
    expect(placeFaults(definition, facts(named))).toEqual([]);
  });

  it('on shards counts the index of claims where the run creates it', () => {
    const limits = facts({ 'cluster.max_shards_per_node': '4' }, { shards: 8 });
    expect(shardFaults(wanting({ numberOfReplicas: 1 }), limits, 0)).toEqual([]);
    expect(shardFaults(wanting({ numberOfReplicas: 1 }), limits, 2)[0]).toContain("alias's claims 2");
  });

  it('on shards with a node counts no replica that the definition does not wait for', () => {
    const limits = facts(
      { 'cluster.routing.allocation.total_shards_per_node': '2' },
      { shards: 9, placedShards: 4 },
    );
    expect(shardFaults(wanting({ numberOfReplicas: 1, health: 'yellow' }), limits)).toEqual([]);
    expect(shardFaults(wanting({ numberOfReplicas: 1, health: 'yellow' }), limits, 1)).toHaveLength(1);
    expect(shardFaults(wanting({ numberOfReplicas: 1, health: 'green' }), limits)[0]).toContain(
      '4 of at most 6',
    );
  });

  it('on nodes, and a block, are named', () => {
    expect(nodeFaults(wanting({ numberOfReplicas: 3 }), facts({}))[0]).toContain('That needs 4 data nodes');
    expect(nodeFaults(wanting({ numberOfReplicas: 3, health: 'yellow' }), facts({}))).toEqual([]);
    for (const block of ['read_only', 'read_only_allow_delete', 'create_index'])
      expect(blockFaults(facts({ [`cluster.blocks.${block}`]: 'true' }), 'here')).toEqual([
        `the cluster at here has the persistent setting cluster.blocks.${block}: remove this setting first`,
      ]);
  });

  describe('on disks', () => {
    const disk = (available: number, total = 1_000) => ({
      node: 'n',
      available: available * GIB,
      total: total * GIB,
    });
    const percent = {
      [`${WATERMARK}.low`]: '85%',
      [`${WATERMARK}.high`]: '90%',
      [`${WATERMARK}.flood_stage`]: '95%',
    };
    const judge = (
      bytes: number | null,
      disks: readonly ReturnType<typeof disk>[],
      settings: object = percent,
    ) => judgeDisk(wanting({ numberOfReplicas: 1 }), facts({ ...settings }, { disks }), bytes);

    it('refuses an index whose copies would go over the flood stage of all nodes', () => {
      expect(judge(60 * GIB, [disk(110), disk(100)]).faults[0]).toMatch(
        /needs about 120\.0 GiB \(60\.0 GiB × 2 copies\), but the data nodes have only 110\.0 GiB below the flood stage/,
      );
    });

    it('warns of one that would go over the low watermark, and says nothing of one with room', () => {
      expect(judge(50 * GIB, [disk(200), disk(180)])).toEqual({
        faults: [],
        warnings: [expect.stringContaining('have 80.0 GiB below the low watermark')],
      });
      expect(judge(50 * GIB, [disk(400), disk(400)])).toEqual({ faults: [], warnings: [] });
      expect(judge(null, [disk(400)])).toEqual({ faults: [], warnings: [] });
    });

    it('refuses any index when every node is above the high watermark, whose watermark may be a size', () => {
      expect(judge(null, [disk(99)]).faults[0]).toContain('every data node is above the high watermark');
      const sizes = { [`${WATERMARK}.high`]: '2000gb' };
      expect(judge(1, [disk(500)], sizes).faults).toHaveLength(1);
      const unwatched = { ...sizes, 'cluster.routing.allocation.disk.threshold_enabled': 'false' };
      expect(judge(1, [disk(500)], unwatched).faults).toEqual([]);
    });

    it('refuses replicas that are waited for when too few nodes are below the low watermark', () => {
      expect(judge(1, [disk(120), disk(110)]).faults[0]).toMatch(
        /only 0 data nodes are below the low watermark/,
      );
      expect(judge(1, [disk(400), disk(110)]).faults).toEqual([]);
      const yellow = wanting({ numberOfReplicas: 1, health: 'yellow' });
      expect(judgeDisk(yellow, facts(percent, { disks: [disk(120)] }), 1).faults).toEqual([]);
    });

    it('keeps no more free of a large disk than the headroom', () => {
      const headroom = Object.fromEntries(
        ['low', 'high', 'flood_stage'].map((stage) => [`${WATERMARK}.${stage}.max_headroom`, '10gb']),
      );
      expect(judge(20 * GIB, [disk(60)], { ...percent, ...headroom })).toEqual({ faults: [], warnings: [] });
    });
  });
});
