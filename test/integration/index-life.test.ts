import { describe, expect, inject, it } from 'vitest';
import { systemClock } from '../../orchestrator/clock.ts';
import { createTarget, deleteTarget, openPass, targetState } from '../../orchestrator/index/create.ts';
import { finalizeTarget } from '../../orchestrator/index/finalize.ts';
import { describeIndex, metaOf } from '../../orchestrator/index/index-meta.ts';
import { passAliases, type TargetNames } from '../../orchestrator/index/names.ts';
import { preflight } from '../../orchestrator/index/preflight.ts';
import { type AliasMove, promoteTargets, readAlias } from '../../orchestrator/index/promote.ts';
import { previewRetention, retainIndexes } from '../../orchestrator/index/retain.ts';
import { rollbackPromotions } from '../../orchestrator/index/rollback.ts';
import type { SearchCalls } from '../../orchestrator/index/search-calls.ts';
import type { Promotion } from '../../orchestrator/reconcile/promotion.ts';
import { identityOf, indexItems } from '../support/index-life.ts';
import { CLUSTERS, FINALIZE, useIndexWorld } from '../support/index-world.ts';
import { bulk, call, count } from '../support/search-calls.ts';

const signal = new AbortController().signal;
const RETAINING = { waitingTimeoutMs: 0, clock: systemClock, signal };

describe.each(CLUSTERS)('the life of an index on $name', ({ url: maybeUrl }) => {
  const world = useIndexWorld(maybeUrl);
  const { url } = world;
  const build = (run: string): Promise<TargetNames> => world.build(run);
  async function promote(names: TargetNames) {
    const expected = await readAlias(world.cluster, world.definition.alias);
    return move({ alias: world.definition.alias, index: names.index, expected });
  }
  async function move(decided: AliasMove): Promise<Promotion> {
    const [moved] = await promoteTargets(world.cluster, [decided]);
    if (moved === undefined) throw new Error('nothing was moved');
    return moved;
  }
  async function rollBack(record: Promotion) {
    return (await rollbackPromotions(world.cluster, [record]))[0];
  }
  const holders = async () =>
    (await readAlias(world.cluster, world.definition.alias)).map(({ index }) => index);
  const settingsOf = async (index: string) => (await describeIndex(world.cluster, index))?.settings ?? {};

  it('begins with both indexes, their metadata and the aliases of the first pass, and creating them again does no harm', async () => {
    const names = await createTarget(world.cluster, world.described, identityOf('r1'), 1);
    expect(names).toMatchObject({
      index: `${world.definition.alias}-r1`,
      deadLetterIndex: `${world.definition.alias}-r1-dead-letters`,
      created: true,
    });
    expect(await createTarget(world.cluster, world.described, identityOf('r1'), 1)).toMatchObject({
      created: false,
    });
    const target = await describeIndex(world.cluster, names.index);
    expect(Object.keys(target?.aliases ?? {})).toEqual([passAliases(names, 1).writeAlias]);
    expect(target?.settings).toMatchObject({
      'index.refresh_interval': '-1',
      'index.number_of_replicas': '0',
      'index.final_pipeline': '_none',
    });
    expect(target?.mappings).toMatchObject({
      dynamic: 'strict',
      properties: { id: { type: 'long' }, price: { type: 'double' } },
    });
    expect(target === null ? null : metaOf(target)).toMatchObject({
      schema: 1,
      fleet: 'test',
      run: 'r1',
      run_key: 'key-r1',
      alias: world.definition.alias,
      role: 'target',
    });
    expect(await targetState(world.cluster, names)).toBe('present');
  });

  it('is made anew when what an earlier try created has lost its shards', async () => {
    const first = await createTarget(world.cluster, world.described, identityOf('r1'), 1);
    // No cluster of one node loses a shard and goes on, so this one only says so, until the index is deleted.
    const losing = lossOf(world.cluster, first.index);
    const again = await createTarget(losing, world.described, identityOf('r1'), 1);
    expect(again).toMatchObject({ index: first.index, created: true });
  });

  it('leaves nothing behind when the target is refused, and takes over no foreign index', async () => {
    const field = { name: 'name', sql: 'item.name', mapping: { type: 'nonsense' } };
    const faulty = { ...world.described, definition: { ...world.definition, document: [field] } };
    await expect(createTarget(world.cluster, faulty, identityOf('r1'), 1)).rejects.toThrow(/nonsense/);
    expect((await call(url, 'GET', `/${world.definition.alias}*`)).body).toEqual({});
    await call(url, 'PUT', `/${world.definition.alias}-r2`, {});
    await expect(createTarget(world.cluster, world.described, identityOf('r2'), 1)).rejects.toThrow(
      /does not belong to run r2/,
    );
    expect(Object.keys((await call(url, 'GET', `/${world.definition.alias}*`)).body)).toEqual([
      `${world.definition.alias}-r2`,
    ]);
  });

  // The node for development has no templates.
  if (maybeUrl !== null && maybeUrl === inject('searchUrl')) {
    it('ends with a fault and no leftovers when an index template changes the index', async () => {
      const template = {
        aliases: { foreign: {} },
        mappings: { _source: { enabled: false }, properties: { zz: { type: 'date' } } },
      };
      const name = `${world.definition.alias}-template`;
      await call(url, 'PUT', `/_index_template/${name}`, {
        index_patterns: [`${world.definition.alias}-r1`],
        priority: 500,
        template,
      });
      try {
        const created = createTarget(world.cluster, world.described, identityOf('r1'), 1);
        await expect(created).rejects.toThrow(/index template.*alias "foreign".*"_source".*field "zz"/);
        expect((await call(url, 'GET', `/${world.definition.alias}*`)).body).toEqual({});
      } finally {
        await call(url, 'DELETE', `/_index_template/${name}`);
      }
    });
  }

  it('ends a pass by removing its write alias and restoring settings, and ending it again does no harm', async () => {
    const names = await build('r1');
    expect(await settingsOf(names.index)).toMatchObject({
      'index.refresh_interval': '1s',
      'index.number_of_replicas': '0',
    });
    expect(await settingsOf(names.index)).not.toHaveProperty(['index.blocks.write']);
    const late = await bulk(url, passAliases(names, 1).writeAlias, [{ index: { _id: '3' } }, { id: 3 }]);
    expect(late).toMatchObject([{ status: 404, error: 'index_not_found_exception' }]);
    const again = await finalizeTarget(
      world.cluster,
      { definition: world.definition, names, pass: 1 },
      FINALIZE,
    );
    // The pass has ended: there is nobody left to block.
    expect(Object.keys(again.steps)).toEqual(['refresh', 'settings', 'forcemerge', 'health', 'unblock']);
  });

  it('ends a pass whose write block is already set, after a lost answer or a crash', async () => {
    const names = await createTarget(world.cluster, world.described, identityOf('r1'), 1);
    await indexItems(url, world.client, names, 1);
    await call(url, 'PUT', `/${names.index}/_block/write`);

    await finalizeTarget(world.cluster, { definition: world.definition, names, pass: 1 }, FINALIZE);

    const target = await describeIndex(world.cluster, names.index);
    expect(target?.aliases).toEqual({});
    expect(target?.settings).not.toHaveProperty(['index.blocks.write']);
  });

  it('names what is wrong when the health is not reached in time', async () => {
    const wanting = { ...world.definition, index: { ...world.definition.index, numberOfReplicas: 1 } };
    const names = await createTarget(world.cluster, world.described, identityOf('r1'), 1);
    const short = { ...FINALIZE, healthTimeoutMs: 100 };
    await expect(
      finalizeTarget(world.cluster, { definition: wanting, names, pass: 1 }, short),
    ).rejects.toThrow(/yellow after 0 s, but green is asked for/);
  });

  it('opens and ends a second pass', async () => {
    const names = await build('r1');
    await openPass(world.cluster, names, 2);
    await openPass(world.cluster, names, 2);
    await indexItems(url, world.client, names, 2);
    await finalizeTarget(world.cluster, { definition: world.definition, names, pass: 2 }, FINALIZE);
    expect((await describeIndex(world.cluster, names.index))?.aliases).toEqual({});
    expect(await count(url, names.index)).toBe(29);
  });

  it('moves the alias with its filter and routing, and moving it again changes nothing', async () => {
    const [first, second] = [await build('r1'), await build('r2')];
    expect(await promote(first)).toMatchObject({ removed: [], added: { index: first.index } });
    const config = {
      filter: { term: { 'name.keyword': 'item 2' } },
      index_routing: 'r',
      search_routing: 'r',
    };
    await call(url, 'POST', '/_aliases', {
      actions: [{ add: { index: first.index, alias: world.definition.alias, ...config } }],
    });
    const expected = await readAlias(world.cluster, world.definition.alias);
    const decided = { alias: world.definition.alias, index: second.index, expected };
    const record = await move(decided);
    expect(record).toMatchObject({
      removed: [{ index: first.index, config }],
      added: { index: second.index, config },
    });
    expect(await move(decided)).toMatchObject({
      removed: [{ index: first.index, config }],
    });
    expect(await readAlias(world.cluster, world.definition.alias)).toEqual([{ index: second.index, config }]);
    expect(
      metaOf((await describeIndex(world.cluster, second.index)) ?? { mappings: {} })?.promoted_at,
    ).toMatch(/Z$/);
  });

  it('moves an alias of several indexes, one of them its write index', async () => {
    const [first, second, third] = [await build('r1'), await build('r2'), await build('r3')];
    const alias = world.definition.alias;
    await call(url, 'POST', '/_aliases', {
      actions: [
        { add: { index: first.index, alias, is_write_index: false } },
        { add: { index: second.index, alias, is_write_index: true } },
      ],
    });
    const record = await promote(third);
    expect(await readAlias(world.cluster, alias)).toEqual([
      { index: third.index, config: { is_write_index: true } },
    ]);
    await rollBack(record);
    expect((await holders()).sort()).toEqual([first.index, second.index]);
  });

  it('refuses to move an alias that somebody else has moved meanwhile', async () => {
    const [first, second] = [await build('r1'), await build('r2')];
    await promote(first);
    const decided = { alias: world.definition.alias, index: second.index, expected: [] };
    await expect(move(decided)).rejects.toThrow(new RegExp(`no index and now points to ${first.index}`));
    expect(await holders()).toEqual([first.index]);
  });

  it('rolls back all of a promotion or nothing, and rolling back again changes nothing', async () => {
    const [first, second] = [await build('r1'), await build('r2')];
    const begin = await promote(first);
    const record = await promote(second);
    await expect(rollBack(begin)).rejects.toThrow(/nothing to roll back to/);
    const rolledBack = await rollBack(record);
    expect(rolledBack).toMatchObject({
      left: second.index,
      restored: [first.index],
      staleness: [{ index: first.index, read_from: '2024-01-01T00:00:00.000Z' }],
    });
    expect(await holders()).toEqual([first.index]);
    expect(await rollBack(record)).toMatchObject({ restored: [first.index] });
    await promote(second);
    await deleteTarget(world.cluster, first, 'r1');
    await expect(rollBack(record)).rejects.toThrow(/deleted, so nothing was changed/);
    expect(await holders()).toEqual([second.index]);
  });

  it('retains the newest promoted index, and after a rollback the index that readers left', async () => {
    const [first, second] = [await build('r1'), await build('r2')];
    await promote(first);
    const record = await promote(second);
    await rollBack(record);
    const third = await build('r3');
    const rule = { alias: world.definition.alias, fleet: 'test', claimedRun: null, retain: 1 };
    expect((await previewRetention(world.cluster, rule)).deleted).toContain(second.index);
    await promote(third);
    const retaining = { ...rule, current: third.index, shrinkLimit: 50 };
    const retention = await retainIndexes(world.cluster, retaining, RETAINING);
    expect(retention).toEqual({
      kept: [first.index],
      deleted: [second.index, second.deadLetterIndex],
      left: [],
    });
    expect(await retainIndexes(world.cluster, retaining, RETAINING)).toEqual({
      kept: [first.index],
      deleted: [],
      left: [],
    });
    const left = Object.keys((await call(url, 'GET', `/${world.definition.alias}-*`)).body).sort();
    expect(left).toEqual(
      [first, third].flatMap(({ index, deadLetterIndex }) => [index, deadLetterIndex]).sort(),
    );
  });

  it('deletes only indexes of the run that serve no readers', async () => {
    const names = await build('r1');
    await expect(deleteTarget(world.cluster, names, 'r2')).rejects.toThrow(/does not belong to run r2/);
    await promote(names);
    await expect(deleteTarget(world.cluster, names, 'r1')).rejects.toThrow(/serves/);
    expect(await targetState(world.cluster, names)).toBe('present');
    const other = await build('r2');
    expect(await deleteTarget(world.cluster, other, 'r2')).toEqual([other.index, other.deadLetterIndex]);
    expect(await deleteTarget(world.cluster, other, 'r2')).toEqual([]);
    expect(await targetState(world.cluster, other)).toBe('absent');
  });

  it('names every fault before anything is created', async () => {
    await preflight(world.cluster, world.definition);
    await call(url, 'PUT', `/${world.definition.alias}`, {});
    await expect(preflight(world.cluster, world.definition)).rejects.toThrow(/is an index, not an alias/);
  });
});

/** The same cluster, which says that an index has lost its shards until the index is deleted. */
function lossOf(cluster: SearchCalls, index: string): SearchCalls {
  let isLost = true;
  return {
    where: cluster.where,
    call: async (method, path, body, options) => {
      if (isLost && method === 'GET' && path.startsWith(`/_cluster/health/${index}`))
        return { status: 'red', timed_out: true, unassigned_shards: 1 };
      return cluster.call(method, path, body, options);
    },
    callText: (method, path, body, options) => cluster.callText(method, path, body, options),
    search: (name, body) => cluster.search(name, body),
    callOrNull: async (method, path, body, options) => {
      if (method === 'DELETE' && path.startsWith(`/${index}`)) isLost = false;
      return cluster.callOrNull(method, path, body, options);
    },
  };
}
