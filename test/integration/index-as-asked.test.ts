import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, inject, it } from 'vitest';
import type { FieldDefinition } from '../../definition/definition.ts';
import { SearchCluster } from '../../orchestrator/index/cluster.ts';
import { createTarget } from '../../orchestrator/index/create.ts';
import { identityOf } from '../support/index-life.ts';
import { useIndexWorld } from '../support/index-world.ts';
import { call } from '../support/search-calls.ts';
import { sampled } from '../support/sampled.ts';

/** The node for development has no templates and writes nothing back by itself. */
describe.skipIf(inject('searchUrl') === null)('a new index on OpenSearch', () => {
  const world = useIndexWorld(inject('searchUrl'));
  const create = () => createTarget(world.cluster, world.described, identityOf('r1'), 1);

  /** Has an index template on the names of this test's indexes while `work` runs. */
  async function withTemplate<T>(
    template: object,
    work: () => Promise<T>,
    { kind = '_index_template', names = '*' } = {},
  ): Promise<T> {
    const { alias } = world.definition;
    const pattern = { index_patterns: [`${alias}-${names}`] };
    const path = `/${kind}/${alias}-template`;
    const body = kind === '_template' ? { ...pattern, ...template } : { ...pattern, priority: 500, template };
    expect(await call(world.url, 'PUT', path, body)).toMatchObject({ status: 200 });
    try {
      return await work();
    } finally {
      await call(world.url, 'DELETE', path);
    }
  }
  const nothingIsLeft = async () =>
    expect((await call(world.url, 'GET', `/${world.definition.alias}*?expand_wildcards=all`)).body).toEqual(
      {},
    );
  const withField = (mapping: Record<string, unknown>, sql = 'item.name') => {
    const field: FieldDefinition = { name: 'v', sql, mapping };
    return world.redefine({ document: [field] });
  };

  sampled(
    [
      [
        { 'index.mapping.ignore_malformed': true },
        /index\.mapping\.ignore_malformed: true \(the index drops values/,
      ],
      [{ 'index.hidden': true }, /index\.hidden: true \(searches by a pattern/],
      [{ 'index.max_result_window': 5 }, /index\.max_result_window: 5 \(it limits searches/],
      [
        { 'index.search.default_pipeline': 'p' },
        /search\.default_pipeline: p \(it changes what every search finds/,
      ],
      [
        { 'index.routing.allocation.total_shards_per_node': 1 },
        /total_shards_per_node: 1 \(it decides which nodes/,
      ],
      [{ 'index.sort.field': ['id'] }, /sort\.field: id/],
      [{ 'index.query.default_field': ['name'] }, /query\.default_field: name/],
      [{ 'index.derived_source.enabled': true }, /Derived source is not supported for extra field/],
      [{ 'index.append_only.enabled': true }, /append_only\.enabled: true/],
      [
        { 'index.write.wait_for_active_shards': 2, 'index.number_of_replicas': 2 },
        /index\.write\.wait_for_active_shards/,
      ],
      [{ 'index.translog.durability': 'async' }, /translog\.durability: async/],
      [{ 'index.auto_expand_replicas': '0-1' }, /auto_expand_replicas: 0-1/],
      [
        { 'index.analysis.analyzer.default': { type: 'custom', tokenizer: 'keyword' } },
        /analyzer\.default\.tokenizer: keyword \(it changes how texts/,
      ],
    ] as const,
    3,
  )(
    'ends with a fault that names the template, and no leftovers, if a template brings %j',
    async ([settings, fault]) => {
      await withTemplate({ settings }, async () => {
        const created = create();
        await expect(created).rejects.toThrow(fault);
        await expect(created).rejects.toThrow(
          `The index template "${world.definition.alias}-template" (pattern "${world.definition.alias}-*") matches its name.`,
        );
      });
      await nothingIsLeft();
    },
  );

  it.for(['_template', '_index_template'])(
    'keeps each asked field as it is, though a template (%s) describes it otherwise',
    async (kind) => {
      const asked = { type: 'keyword' };
      await withField(asked);
      const mappings = { properties: { v: { type: 'keyword', ignore_above: 3, null_value: 'none' } } };
      const { index } = await withTemplate({ mappings }, create, { kind, names: 'r1' });
      const { body } = await call(world.url, 'GET', `/${index}/_mapping`);
      expect(body).toMatchObject({ [index]: { mappings: { properties: { v: asked } } } });
      expect(JSON.stringify(body)).not.toMatch(/ignore_above|null_value/);
    },
  );

  it('that a template makes read-only is refused with the template’s name, and nothing is left', async () => {
    const settings = { 'index.blocks.read_only': true };
    await expect(withTemplate({ settings }, create)).rejects.toThrow(
      /index template .*blocks\.read_only: true/s,
    );
    await nothingIsLeft();
  });

  it('names the legacy template whose pattern matches', async () => {
    const work = () => expect(create()).rejects.toThrow(/The legacy index template ".*-template" \(pattern/);
    await withTemplate({ settings: { 'index.hidden': true } }, async () => work(), { kind: '_template' });
    await nothingIsLeft();
  });

  it('is accepted with settings that do no harm, and the warning names them and the template', async () => {
    const settings = {
      'index.codec': 'best_compression',
      'index.max_result_window': 50_000,
      'index.default_pipeline': 'p',
    };
    const { warnings } = await withTemplate({ settings }, create);
    expect(warnings.join('\n')).toMatch(
      /r1 has what nobody asked for: .*index\.codec: best_compression.*max_result_window: 50000.*The index template ".*" \(pattern/,
    );
  });

  it('is accepted without a warning if the definition keeps each setting of a template away by null', async () => {
    const decided = { hidden: null, max_result_window: null, 'mapping.ignore_malformed': null };
    const { index } = world.definition;
    await world.redefine({ index: { ...index, settings: { ...index.settings, ...decided } } });
    const settings = {
      'index.hidden': true,
      'index.mapping.ignore_malformed': true,
      'index.max_result_window': 5,
    };
    const { warnings } = await withTemplate({ settings }, create);
    expect(warnings).toEqual([]);
  });

  it.for([
    { type: 'completion' },
    { type: 'search_as_you_type' },
    { type: 'text', analyzer: 'standard', search_analyzer: 'simple', boost: 1 },
    { type: 'date', format: 'yyyy-MM-dd||epoch_millis', index: true, doc_values: 'true' },
    { type: 'keyword', ignore_above: '100', split_queries_on_whitespace: false },
    { type: 'scaled_float', scaling_factor: 100 },
    { type: 'geo_shape' },
    { type: 'token_count', analyzer: 'standard' },
    { type: 'text', fields: { s: { type: 'completion' }, k: { type: 'keyword' } } },
    { type: 'object', dynamic: false, properties: { c: { type: 'completion' } } },
    { type: 'nested', properties: { c: { type: 'completion' } } },
    { type: 'join', relations: { question: ['answer'] } },
    { type: 'rank_feature', positive_score_impact: true },
    { type: 'constant_keyword', value: 'x' },
    { type: 'wildcard' },
    { type: 'flat_object' },
    { type: 'unsigned_long' },
    { type: 'percolator' },
    { type: 'binary' },
    { type: 'date_range' },
    { type: 'alias', path: 'id' },
  ])('is accepted with the field %j, whatever the cluster writes back for it', async (mapping) => {
    await withField(mapping);
    expect(await create()).toMatchObject({ created: true, warnings: [] });
    const indexes = Object.keys((await call(world.url, 'GET', `/${world.definition.alias}*`)).body).sort();
    expect(indexes).toEqual([`${world.definition.alias}-r1`, `${world.definition.alias}-r1-dead-letters`]);
  });

  describe('through a proxy that stands in for a cluster with policies, which OpenSearch’s core lacks', () => {
    /** The proxy answers some calls itself, in the documented form. */
    async function through(
      answer: (path: string, text: string) => { status: number; body: string } | null,
    ): Promise<{ cluster: SearchCluster; stop: () => Promise<void> }> {
      const server = createServer((request, response) => {
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
          const forward = async () => {
            const upstream = await fetch(`${world.url}${request.url}`, {
              method: request.method ?? 'GET',
              headers: { 'content-type': 'application/json' },
              ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
            });
            const text = await upstream.text();
            const own = answer(`${request.method} ${request.url}`, text);
            response.writeHead(own?.status ?? upstream.status, { 'content-type': 'application/json' });
            response.end(own?.body ?? text);
          };
          void forward();
        });
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const cluster = await SearchCluster.connect({ url, username: null, password: null, apiKey: null });
      const stop = async () => {
        await cluster.close();
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      };
      return { cluster, stop };
    }
    const explained = (policy: string | null) => (path: string) => {
      const [, index] = /_plugins\/_ism\/explain\/(.+)$/.exec(path) ?? [];
      if (index === undefined) return null;
      const body = {
        [index]: { 'index.plugins.index_state_management.policy_id': policy },
        total_managed_indices: 1,
      };
      return { status: 200, body: JSON.stringify(body) };
    };

    it.for([
      [
        'a policy that attaches itself by the index’s name',
        explained('delete-old'),
        /state management policy "delete-old"/,
      ],
      [
        'a lifecycle policy of Elasticsearch',
        (path: string, text: string) =>
          /^GET \/[^_/][^/]*\?flat_settings/.test(path)
            ? {
                status: 200,
                body: text.replace('"settings":{', '"settings":{"index.lifecycle.name":"delete-old",'),
              }
            : null,
        /index\.lifecycle\.name: delete-old \(a lifecycle policy/,
      ],
    ] as const)('is refused for %s', async ([, answer, fault], scope) => {
      const { cluster, stop } = await through(answer);
      scope.onTestFinished(stop);
      await expect(createTarget(cluster, world.described, identityOf('r1'), 1)).rejects.toThrow(fault);
      await nothingIsLeft();
    });

    it('is accepted without a policy, and with a warning where the user may not ask', async (scope) => {
      const none = await through(explained(null));
      scope.onTestFinished(none.stop);
      expect((await createTarget(none.cluster, world.described, identityOf('r1'), 1)).warnings).toEqual([]);
      const forbidden = await through((path) =>
        path.includes('_ism')
          ? { status: 403, body: '{"error":{"type":"security_exception","reason":"no permissions"}}' }
          : null,
      );
      scope.onTestFinished(forbidden.stop);
      const { warnings } = await createTarget(forbidden.cluster, world.described, identityOf('r1'), 1);
      expect(warnings[0]).toMatch(/nobody can say whether a policy manages .*security_exception/);
    });
  });
});
