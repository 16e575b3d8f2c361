import { setTimeout as sleep } from 'node:timers/promises';
import { bulk } from './documents.ts';
import { cannot, flatSettings, type Index, type Indexes, refusal } from './indexes.ts';
import { array, type Body, object, parse } from './json.ts';
import { count, get, refresh, search } from './search.ts';

interface Call {
  readonly index: string;
  readonly name: string;
  readonly query: URLSearchParams;
  readonly body: Body;
  readonly text: string;
}
type Handler = (indexes: Indexes, call: Call) => unknown;

const PARAMETERS =
  /^(pretty|filter_path|require_alias|pipeline|format|flat_settings|max_num_segments|wait_for_status|(cluster_manager_)?timeout)$/;
const ABOUT = {
  cluster_name: 'reindex-fleet-development',
  version: { distribution: 'reindex-fleet-development', number: '3.0.0' },
  tagline: 'The built-in node of reindex-fleet: in memory, for development only. It is not OpenSearch.',
};

const ROUTES: readonly [string, Handler][] = [
  ['GET /', () => ABOUT],
  ['GET /_cluster/health', health],
  ['GET /_cluster/health/:index', health],
  ['GET /_cluster/settings', () => ({ persistent: {}, transient: {} })],
  ['POST /_index_template/_simulate_index/:name', () => ({})],
  ['GET /_cat/indices', (indexes) => [...indexes.byName.values()].map(summary)],
  ['POST /_aliases', (indexes, { body }) => acknowledge(indexes.updateAliases(array(body.actions)))],
  ['GET /_alias/:name', readAlias],
  ['(GET|POST) /:index/_count', (indexes, { index, body }) => count(indexes.resolve(index), body.query)],
  ['(GET|POST) /:index/_search', (indexes, { index, body }) => search(indexes.resolve(index), body)],
  ['(GET|POST) /:index/_mget', multiGet],
  ['GET /:index/_doc/:name', (indexes, { index, name }) => get(only(indexes, index), name)],
  [
    'POST /:index/_bulk',
    (indexes, { index, text, query }) => bulk(indexes, index, text, query.has('require_alias', 'true')),
  ],
  ['POST /:index/_(refresh|forcemerge)', (indexes, { index }) => shards(each(indexes, index, refresh))],
  ['GET /:index/_stats/store', stats],
  [
    'PUT /:index/_mapping',
    (indexes, { index, body }) =>
      acknowledge(each(indexes, index, (found) => Object.assign(found.mappings, body))),
  ],
  [
    'PUT /:index/_settings',
    (indexes, { index, body }) => acknowledge(each(indexes, index, (found) => configure(found, body))),
  ],
  [
    'PUT /:index/_block/write',
    (indexes, { index }) =>
      block(each(indexes, index, (found) => configure(found, { 'blocks.write': true }))),
  ],
  ['GET /:index', (indexes, { index }) => each(indexes, index, describe)],
  ['PUT /:index', (indexes, { index, body }) => acknowledge(indexes.create(index, body))],
  [
    'DELETE /:index',
    (indexes, { index }) => acknowledge(indexes.updateAliases([{ remove_index: { index } }])),
  ],
];

/** Whatever has no route here is refused in one sentence. */
export async function answer(
  indexes: Indexes,
  method: string,
  url: URL,
  text: string,
): Promise<{ status: number; body: unknown }> {
  const path = `${method === 'HEAD' ? 'GET' : method} ${decodeURIComponent(url.pathname)}`;
  const unknown = [...url.searchParams.keys()].find((name) => !PARAMETERS.test(name));
  if (unknown !== undefined) throw cannot(`the parameter [${unknown}]`);
  for (const [route, handle] of ROUTES) {
    const pattern = route.replace(':index', '(?<index>[^/_][^/]*)').replace(':name', '(?<name>[^/]+)');
    const match = new RegExp(`^${pattern}$`).exec(path);
    if (match === null) continue;
    const body = text === '' || path.endsWith('_bulk') ? {} : object(parse(text));
    const result = await handle(indexes, {
      index: match.groups?.index ?? '*',
      name: match.groups?.name ?? '',
      query: url.searchParams,
      body,
      text,
    });
    const { found, timed_out: timedOut } = object(result);
    return { status: found === false ? 404 : timedOut === true ? 408 : 200, body: result };
  }
  throw cannot(path);
}

const describe = ({ aliases, mappings, settings }: Index): Body => ({ aliases, mappings, settings });
const acknowledge = (_: unknown): Body => ({ acknowledged: true, shards_acknowledged: true });
const shards = (_: unknown): Body => ({ _shards: { total: 1, successful: 1, failed: 0 } });
const block = (names: Body): Body => ({
  ...acknowledge(names),
  indices: Object.keys(names).map((name) => ({ name, blocked: true })),
});
const status = (index: Index): string =>
  index.settings['index.number_of_replicas'] === '0' ? 'green' : 'yellow';
const bytesOf = (index: Index): number =>
  index.documents.values().reduce((sum, doc) => sum + (doc.source?.length ?? 0), 0);

function each(indexes: Indexes, expression: string, view: (index: Index) => unknown): Body {
  return Object.fromEntries(indexes.resolve(expression).map(({ index }) => [index.name, view(index)]));
}

function only(indexes: Indexes, name: string): Index {
  const [target, other] = indexes.resolve(name);
  if (target === undefined || other !== undefined) throw cannot(`[${name}] as one index`);
  return target.index;
}

/** One node has no place for replicas: an index that wants some is yellow. One that is missing is red. */
async function health(indexes: Indexes, { index, query }: Call): Promise<Body> {
  const levels = ['red', 'yellow', 'green'];
  const wanted = Math.max(1, levels.indexOf(query.get('wait_for_status') ?? ''));
  const found = [...indexes.byName.values()].filter(
    ({ name }) => index === '*' || index.split(',').includes(name),
  );
  const there = index === '*' || found.length === index.split(',').length;
  const level = there ? Math.min(2, ...found.map((one) => levels.indexOf(status(one)))) : 0;
  const late = level < wanted && index !== '*';
  if (late) await sleep(Math.min(30_000, Number.parseFloat(query.get('timeout') ?? '30s') * 1000));
  return { status: levels[level], timed_out: late, number_of_nodes: 1, number_of_data_nodes: 1 };
}

function readAlias(indexes: Indexes, { name }: Call): Body {
  const holders = [...indexes.byName.values()].filter((index) => index.aliases[name] !== undefined);
  if (holders.length === 0) throw refusal(404, 'aliases_not_found', `alias [${name}] missing`);
  return Object.fromEntries(
    holders.map((index) => [index.name, { aliases: { [name]: index.aliases[name] } }]),
  );
}

function configure(index: Index, body: Body): void {
  const settings = Object.entries({ ...index.settings, ...flatSettings(body) });
  index.settings = Object.fromEntries(settings.filter(([, value]) => value !== null));
}

function multiGet(indexes: Indexes, { index, body }: Call): Body {
  return { docs: array(body.ids).map((id) => get(only(indexes, index), String(id))) };
}

function summary(index: Index): Body {
  return {
    index: index.name,
    health: status(index),
    status: 'open',
    'docs.count': `${count([{ index, filter: {} }], {}).count}`,
  };
}

function stats(indexes: Indexes, { index }: Call): Body {
  const view = (one: Index) => ({ primaries: { store: { size_in_bytes: bytesOf(one) } } });
  return { ...shards(null), indices: each(indexes, index, view) };
}
