import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { bulk } from './development-node/documents.ts';
import { configure, type Index, Indexes } from './development-node/indexes.ts';
import { _shards, get, search, select } from './development-node/search.ts';
import { attempt, type Body, cannot, list, object, parse, word } from './development-node/wire.ts';

const ABOUT = {
  version: { distribution: 'reindex-fleet-development', number: '3.0.0' },
  tagline: 'The built-in node of reindex-fleet: in memory, for development only. It is not OpenSearch.',
};
const DONE = { acknowledged: true, shards_acknowledged: true, _shards };
/** Parameters that change nothing here. */
const IGNORED = /^(pretty|format|flat_settings|filter_path|expand_wildcards|max_num_segments|timeout)$/;

type Handler = (all: Indexes, name: string, body: Body, second: string) => unknown;
/** Patterns of method, path and the parameters that count; each `*` is a name. What answers nothing is done. */
const ROUTES: Readonly<Record<string, Handler>> = {
  'GET /': () => ABOUT,
  'GET /_cluster/settings': () => ({ persistent: {}, transient: {} }),
  'GET /_cluster/health/*(?:\\?wait_for_status=yellow)?': (all, name) => health(all.find(name)),
  'GET /_ingest/pipeline/*': () => ({ status: 404 }),
  'GET /_cat/indices': (all) => all.find('*').map(({ name: index }) => ({ index })),
  'POST /_aliases': (all, _, { actions }) => all.updateAliases(list(actions)),
  'GET /_alias/*': (all, alias) =>
    view(all.holders(alias), ({ aliases }) => ({ aliases: { [alias]: aliases[alias] } })),
  'DELETE /*/_alias/*': (all, index, _, alias) =>
    all.updateAliases([{ remove: { index, alias, must_exist: true } }]),
  '(?:GET|POST) /*/_count': (all, name, { query }) => ({
    count: select(all.find(name), query).length,
    _shards,
  }),
  '(?:GET|POST) /*/_search': (all, name, body) => search(all.find(name), body),
  'POST /*/_mget(\\?_source=false)?': (all, name, { ids }, bare) => ({
    docs: list(ids).map((id) => get(all.find(name), word(id), bare === '')),
  }),
  'GET /*/_doc/*': (all, name, _, id) => get(all.find(name), id),
  'DELETE /*/_doc/*': (all, name, _, id) => all.find(name).forEach(({ documents }) => documents.delete(id)),
  'POST /*/_bulk\\?require_alias=true&pipeline=_none': (all, name, { lines }) =>
    bulk(() => all.holders(name), word(lines)),
  'POST /*/_(?:refresh|forcemerge)': (all, name) =>
    all.find(name).forEach((index) => (index.refreshed = new Map(index.documents))),
  'PUT /*/_block/write': (all, name) => configure(all.find(name), { 'index.blocks.write': 'true' }),
  'PUT /*/_settings': (all, name, body) => configure(all.find(name), body),
  'PUT /*/_mapping': (all, name, body) => mark(all.find(name), body),
  'GET /*': (all, name) =>
    view(all.find(name), ({ aliases, mappings, settings }) => ({ aliases, mappings, settings })),
  'PUT /*': (all, name, body) => all.create(name, body),
  'DELETE /*': (all, name) => (all.delete(name) ? DONE : { status: 404 }),
};

/**
 * A small search node for development and tests: in memory, one shard, one node, gone when it stops. It answers as
 * OpenSearch does for what this project asks of it (the contract suite compares the two), and refuses all else.
 */
export async function startDevelopmentNode({ host, port }: { host: string; port: number }) {
  const indexes = new Indexes();
  const server = serve({ fetch: (request) => respond(indexes, request), hostname: host, port });
  await once(server, 'listening');
  const stop = async (): Promise<void> => {
    const closed = once(server.close(), 'close');
    if ('closeAllConnections' in server) server.closeAllConnections();
    await closed;
  };
  return { url: `http://${host}:${(server.address() as AddressInfo).port}`, stop };
}

async function respond(indexes: Indexes, request: Request): Promise<Response> {
  const text = await request.text();
  const { pathname, searchParams } = new URL(request.url);
  const parameters = [...searchParams].filter(([name]) => !IGNORED.test(name)).map((pair) => pair.join('='));
  const path = `${method} ${decodeURIComponent(url.pathname)}${url.search}`;
  const answer = attempt(() => route(indexes, path, text) ?? DONE);
  const { status } = object(answer);
  return Response.json(answer, { status: typeof status === 'number' ? status : 200 });
}

function route(indexes: Indexes, path: string, text: string): unknown {
  for (const [pattern, handle] of Object.entries(ROUTES)) {
    const names = new RegExp(`^${pattern.replaceAll('*', '([^/_][^/]*)')}$`).exec(path);
    const body = path.includes('/_bulk') ? { lines: text } : object(parse(text || '{}'));
    if (names) return handle(indexes, names[1] ?? '', body, names[2] ?? '');
  }
  throw cannot(path);
}

const view = (indexes: Index[], show: (index: Index) => Body): Body =>
  Object.fromEntries(indexes.map((index) => [index.name, show(index)]));

/** One node has no place for replicas. */
function health(indexes: Index[]): Body {
  const unassigned = indexes.filter(({ settings }) => settings['index.number_of_replicas'] !== '0').length;
  return { status: unassigned > 0 ? 'yellow' : 'green', timed_out: false, unassigned_shards: unassigned };
}

function mark(indexes: Index[], { _meta, ...others }: Body): void {
  if (Object.keys(others).length > 0) throw cannot('a change of a mapping beside its _meta');
  for (const index of indexes) index.mappings = { ...index.mappings, _meta };
}
