import { afterEach, describe, expect, inject, it } from 'vitest';
import { createTarget, targetState } from '../../orchestrator/index/create.ts';
import { finalizeTarget } from '../../orchestrator/index/finalize.ts';
import { describeIndex } from '../../orchestrator/index/index-meta.ts';
import { indexHealth } from '../../orchestrator/index/index-health.ts';
import { preflight } from '../../orchestrator/index/preflight.ts';
import { startAnsweringProxy } from '../cases/answering-proxy.ts';
import type { Answering } from '../cases/case.ts';
import { connect, identityOf, indexItems, itemsDefinition } from '../support/index-life.ts';
import { FINALIZE, useIndexWorld } from '../support/index-world.ts';
import { call } from '../support/search-calls.ts';

const FORBIDDEN = {
  status: 403,
  body: '{"error":{"type":"security_exception","reason":"no permissions"},"status":403}',
};
const INFORMS = /^\/(\?|$|_cluster\/|_cat\/|_nodes|_index_template|_template|_plugins)/;

/** Settings of a whole cluster would disturb other tests on the same node, so a proxy stands in for such a cluster. */
describe('a real index', () => {
  const world = useIndexWorld(inject('searchUrl'));
  const stops: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });
  async function through(answer: Answering) {
    const proxy = await startAnsweringProxy(world.url, answer);
    stops.push(() => proxy.stop());
    const cluster = await connect(proxy.url);
    stops.unshift(() => cluster.close());
    return cluster;
  }
  const refused = (reason: string) => ({
    status: 400,
    body: JSON.stringify({ error: { type: 'validation_exception', reason }, status: 400 }),
  });
  const nothingIsLeft = async () =>
    expect((await call(world.url, 'GET', `/${world.definition.alias}*?expand_wildcards=all`)).body).toEqual(
      {},
    );

  it('is built with the least number of copies where a cluster (a proxy stands in) balances them over three zones', async () => {
    const balancing: Answering = ({ method, path, body }) => {
      const [, replicas] = /number_of_replicas"\s*:\s*"?(\d+)/.exec(body) ?? [];
      if (method !== 'PUT' || path.includes('/_mapping') || replicas === undefined) return null;
      if ((Number(replicas) + 1) % 3 === 0) return null;
      return refused(
        'Validation Failed: 1: expected total copies needs to be a multiple of total awareness attributes [3];',
      );
    };
    const cluster = await through(balancing);
    await world.redefine({ index: { ...world.definition.index, numberOfReplicas: 2, health: 'yellow' } });
    const names = await createTarget(cluster, world.described, identityOf('r1'), 1);
    const built = (await describeIndex(cluster, names.index))?.settings;
    expect(built).toMatchObject({ 'index.number_of_replicas': '2', 'index.refresh_interval': '-1' });
    expect(await createTarget(cluster, world.described, identityOf('r1'), 1)).toMatchObject({
      created: false,
    });

    await indexItems(world.url, world.client, names, 1);
    await finalizeTarget(cluster, { definition: world.definition, names, pass: 1 }, FINALIZE);
    const finished = (await describeIndex(cluster, names.index))?.settings;
    expect(finished).toMatchObject({ 'index.number_of_replicas': '2', 'index.refresh_interval': '1s' });
  });

  it('is removed before anything is launched when the cluster (a proxy stands in) would refuse its final settings', async () => {
    const limited: Answering = ({ method, path, body }) =>
      method === 'PUT' && path.includes('/_settings') && body.includes('"1s"')
        ? refused('invalid index.refresh_interval [1s]: cannot be smaller than a limit of tomorrow [10s]')
        : null;
    const cluster = await through(limited);
    await expect(createTarget(cluster, world.described, identityOf('r1'), 1)).rejects.toThrow(
      /refuses the settings that the index gets at its end .*refresh_interval: 1s.*a limit of tomorrow/,
    );
    await nothingIsLeft();
  });

  it('is removed with the words of the cluster’s own explanation when its shards find no place', async () => {
    await world.redefine({
      index: { ...world.definition.index, settings: { 'routing.allocation.require.box': 'nowhere' } },
    });
    await expect(createTarget(world.cluster, world.described, identityOf('r1'), 1)).rejects.toThrow(
      /find no place.*cannot allocate.*nowhere/,
    );
    await nothingIsLeft();
  });

  it('is built from its creation to its end by a user who may not look at the cluster (a proxy stands in)', async () => {
    const cluster = await through(({ path }) => (INFORMS.test(path) ? FORBIDDEN : null));
    expect(cluster.engine.version).toBeNull();
    expect(cluster.engine.warnings[0]).toMatch(/may not look at the version.*cluster:monitor\/main/);
    const warnings = (await preflight(cluster, world.definition)).join('\n');
    expect(warnings).toMatch(
      /cluster:monitor\/settings[^]*cluster:monitor\/health[^]*cluster:monitor\/nodes\/stats/,
    );

    const names = await createTarget(cluster, world.described, identityOf('r1'), 1);
    await indexItems(world.url, world.client, names, 1);
    const done = await finalizeTarget(cluster, { definition: world.definition, names, pass: 1 }, FINALIZE);
    expect(done.health).toBe('green');
    expect(await targetState(cluster, names)).toBe('present');
  });

  it('has the same health for a user who may not look at the cluster’s (a proxy stands in)', async () => {
    const cluster = await through(({ path }) => (INFORMS.test(path) ? FORBIDDEN : null));
    const { index } = await world.build('r1');
    for (const replicas of [0, 1]) {
      await call(world.url, 'PUT', `/${index}/_settings`, { index: { number_of_replicas: replicas } });
      const seen = await indexHealth(world.cluster, [index], { waitMs: 0 });
      expect(await indexHealth(cluster, [index], { waitMs: 0 })).toEqual(seen);
    }
  });

  it.for([
    [
      'forbids',
      { status: 403, body: '{"message":"not for you"}' },
      /may not look at the version.*not for you/,
    ],
    [
      'lacks',
      { status: 410, body: '{"error":{"reason":"not available when running in serverless mode"}}' },
      /serverless cluster/,
    ],
    [
      'has as serverless',
      { status: 200, body: '{"version":{"number":"8.11.0","build_flavor":"serverless"}}' },
      /serverless cluster/,
    ],
  ] as const)(
    'is reached through a cluster (a proxy stands in) that %s the call for its version',
    async ([, about, words]) => {
      const cluster = await through(({ path }) => (path === '/' ? about : null));
      expect(cluster.engine.warnings.join('\n')).toMatch(words);
      expect(await preflight(cluster, itemsDefinition())).toEqual([]);
    },
  );
});

it('a domain (a proxy stands in) that takes signed requests alone is named as not supported at once', async (scope) => {
  const Message =
    'User: anonymous is not authorized to perform: es:ESHttpGet because no resource-based policy allows the es:ESHttpGet action';
  const proxy = await startAnsweringProxy('http://127.0.0.1:9', () => ({
    status: 403,
    body: JSON.stringify({ Message }),
  }));
  scope.onTestFinished(() => proxy.stop());
  await expect(connect(proxy.url)).rejects.toThrow(
    /no resource-based policy.*SigV4\), and these are not supported/,
  );
});
