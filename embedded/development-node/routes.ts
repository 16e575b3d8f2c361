import { setTimeout as sleep } from 'node:timers/promises';
import { bulk, writeOne } from './documents.ts';
import { cannot, type Index, type Indexes, refusal, type Target, withSettings } from './indexes.ts';
import { array, type Body, object, parse } from './json.ts';
import { count, deleteByQuery, get, milliseconds, multiSearch, refresh, search } from './search.ts';

type Call = Readonly<{
  indexes: Indexes;
  index: string;
  name: string;
  query: URLSearchParams;
  text: string;
  body: Body;
}>;
type Handler = (call: Call) => unknown;
export type Answer = Readonly<{ status: number; body: unknown }>;

const PARAMETERS =
  /^(pretty|refresh|filter_path|require_alias|pipeline|format|bytes|flat_settings|include_defaults|max_num_segments|wait_for_status|expand_wildcards|wait_for_completion|conflicts|actions|detailed|group_by|preference|_source|op_type|if_seq_no|if_primary_term|(\w+_)?timeout)$/;
const ABOUT = {
  version: { distribution: 'reindex-fleet-development', number: '3.0.0' },
  tagline: 'The built-in node of reindex-fleet: in memory, for development only. It is not OpenSearch.',
};
const DONE = {
  acknowledged: true,
  shards_acknowledged: true,
  _shards: { total: 1, successful: 1, failed: 0 },
};

const ROUTES: Readonly<Record<string, Handler>> = {
  'GET /': () => ABOUT,
  'GET /_cluster/health': health,
  'GET /_cluster/health/:index': health,
  'GET /_cluster/settings': () => ({ persistent: {}, transient: {} }),
  'POST /_index_template/_simulate_index/:name': () => ({}),
  'GET /_cat/allocation': () => [],
  'GET /_template': () => ({}),
  'GET /_nodes/data:true/process': () => ({}),
  'GET /_cat/indices': ({ indexes }) => indexes.resolve('*').map(summary),
  'POST /_aliases': ({ indexes, body }) => done(indexes.updateAliases(array(body.actions))),
  'GET /_alias/:name': readAlias,
  'DELETE /:index/_alias/:name': ({ indexes, index, name: alias }) =>
    done(indexes.updateAliases([{ remove: { index, alias, must_exist: true } }])),
  '(GET|POST) /:index/_count': ({ indexes, index, body }) => count(indexes.resolve(index), body.query),
  '(GET|POST) /:index/_search': ({ indexes, index, body }) => search(indexes.resolve(index), body),
  '(GET|POST) /:index/_msearch': ({ indexes, index, text }) => ({
    responses: multiSearch(indexes.resolve(index), text),
  }),
  '(GET|POST) /:index/_mget': ({ indexes, index, query, body }) => ({
    docs: array(body.ids).map((id) => get(one(indexes, index), String(id), query.get('_source') !== 'false')),
  }),
  'POST /:index/_delete_by_query': (call) =>
    inBackground(call, deleteByQuery(call.indexes.resolve(call.index), call.body.query)),
  'GET /_tasks': () => ({ tasks: [] }),
  'GET /_tasks/:name': readTask,
  'GET /:index/_doc/:name': ({ indexes, index, name }) => get(one(indexes, index), name),
  'PUT /:index/_doc/:name': ({ indexes, index, name, query, text }) =>
    writeOne(indexes.writeTarget(index, false), name, query, text),
  'DELETE /:index/_doc/:name': ({ indexes, index, name, query }) =>
    writeOne(indexes.writeTarget(index, false), name, query, null),
  'POST /:index/_bulk': ({ indexes, index, text, query }) =>
    bulk(indexes, index, text, query.get('require_alias') === 'true'),
  'POST /:index/_refresh': (call) => done(each(call, refresh)),
  'POST /:index/_forcemerge': (call) => inBackground(call, done(each(call, refresh))),
  'GET /:index/_stats/store': (call) => ({
    ...DONE,
    indices: each(call, (index) => ({ primaries: { store: { size_in_bytes: bytesOf(index) } } })),
  }),
  'PUT /:index/_block/write': blockWrites,
  'PUT /:index/_settings': (call) => done(each(call, (index) => configure(index, call.body))),
  'PUT /:index/_mapping': (call) => done(each(call, (index) => Object.assign(index.mappings, call.body))),
  'GET /:index/_(?<name>alias|mapping|settings)': describe,
  'GET /:index': describe,
  'PUT /:index': ({ indexes, index, body }) => done(indexes.create(index, body)),
  'DELETE /:index': ({ indexes, index }) => done(indexes.updateAliases([{ remove_index: { index } }])),
};

/** Whatever has no route here is refused in one sentence. */
export async function answer(indexes: Indexes, method: string, url: URL, text: string): Promise<Answer> {
  const path = `${method.replace('HEAD', 'GET')} ${decodeURIComponent(url.pathname)}`;
  const unknown = [...url.searchParams.keys()].find((name) => !PARAMETERS.test(name));
  if (unknown !== undefined) throw cannot(`the parameter [${unknown}]`);
  for (const [route, handle] of Object.entries(ROUTES)) {
    const pattern = route.replace(':index', '(?<index>[^/_][^/]*)').replace(':name', '(?<name>[^/]+)');
    const match = new RegExp(`^${pattern}$`).exec(path);
    if (match === null) continue;
    const body = text === '' || /_(bulk|msearch)$/.test(path) ? {} : object(parse(text));
    const result = await handle({
      indexes,
      index: '*',
      name: '',
      ...match.groups,
      query: url.searchParams,
      text,
      body,
    });
    const { found, timed_out: late, status } = object(result);
    const written = typeof status === 'number' ? status : 200;
    return { status: found === false ? 404 : late === true ? 408 : written, body: result };
  }
  throw cannot(path);
}

/** The answer to a call that is done when this is evaluated. */
const done = (_result: unknown): Body => DONE;
const bytesOf = ({ documents }: Index): number =>
  documents.values().reduce((sum, doc) => sum + (doc.source?.length ?? 0), 0);
const healthOf = ({ settings }: Index): string =>
  settings['index.number_of_replicas'] === '0' ? 'green' : 'yellow';
const each = ({ indexes, index, query }: Call, view: (index: Index) => unknown): Body =>
  Object.fromEntries(
    indexes
      .resolve(index, query.get('expand_wildcards') === 'all')
      .map((target) => [target.index.name, view(target.index)]),
  );

/** The answer itself, or a task that has ended with it. */
function inBackground({ indexes, query }: Call, result: Body): Body {
  if (query.get('wait_for_completion') !== 'false') return result;
  return { task: `development:${indexes.tasks.push(result)}` };
}

function readTask({ indexes, name }: Call): Body {
  const response = indexes.tasks[Number(name.split(':')[1]) - 1];
  if (response === undefined) throw refusal(404, 'resource_not_found', `task [${name}] isn't running`);
  return { completed: true, response };
}

function one(indexes: Indexes, name: string): Target {
  const [target, other] = indexes.resolve(name);
  if (target === undefined || other !== undefined) throw cannot(`[${name}] as one index`);
  return target;
}

/** Of an index that is blocked already no shard is asked. */
function blockWrites({ indexes, index }: Call): Body {
  const open = indexes
    .resolve(index)
    .filter((target) => target.index.settings['index.blocks.write'] !== 'true');
  for (const target of open) configure(target.index, { 'blocks.write': true });
  return {
    acknowledged: true,
    shards_acknowledged: open.length > 0,
    indices: open.map((target) => ({ name: target.index.name, blocked: true })),
  };
}

function configure(index: Index, changes: Body): void {
  index.settings = withSettings(index.settings, changes);
}

function describe(call: Call): Body {
  const nested = ({ settings }: Index) => ({
    index: Object.fromEntries(Object.entries(settings).map(([name, value]) => [name.slice(6), value])),
  });
  return each(call, (index) => {
    const { aliases, mappings } = index;
    const settings = call.query.get('flat_settings') === 'true' ? index.settings : nested(index);
    const parts: Body = { alias: { aliases }, mapping: { mappings }, settings: { settings } };
    return parts[call.name] ?? { aliases, mappings, settings };
  });
}

function readAlias({ indexes, name }: Call): Body {
  const holders = indexes.holders(name);
  if (holders.length === 0) throw refusal(404, 'aliases_not_found', `alias [${name}] missing`);
  return Object.fromEntries(
    holders.map((index) => [index.name, { aliases: { [name]: index.aliases[name] } }]),
  );
}

function summary(target: Target): Body {
  const { index } = target;
  return {
    index: index.name,
    health: healthOf(index),
    status: 'open',
    'docs.count': String(Number(count([target], undefined).count)),
  };
}

/** One node has no place for replicas: an index that wants some is yellow. One that is missing is red. */
async function health({ indexes, index, query }: Call): Promise<Body> {
  const levels = ['red', 'yellow', 'green'];
  const names = index === '*' ? [...indexes.byName.keys()] : index.split(',');
  const found = names
    .map((name) => indexes.byName.get(name))
    .map((index) => (index === undefined ? 0 : levels.indexOf(healthOf(index))));
  const level = Math.min(2, ...found);
  const late = level < Math.max(1, levels.indexOf(query.get('wait_for_status') ?? ''));
  if (late) await sleep(milliseconds(query.get('timeout') ?? '30s'));
  return { status: levels[level], timed_out: late, number_of_nodes: 1, number_of_data_nodes: 1 };
}
