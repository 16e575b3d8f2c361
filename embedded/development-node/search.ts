import { cannot, type Doc, type Index, illegal } from './indexes.ts';
import { array, type Body, object } from './json.ts';

type Value = string | number | bigint;
type Test<T> = (candidate: T) => boolean;
type Targets = readonly { index: Index; filter: unknown }[];
const KNOWN = /^(query|size|sort|search_after|_source|track_total_hits|seq_no_primary_term|version)$/;
export const SHARDS = { total: 1, successful: 1, skipped: 0, failed: 0 };

export const count = (targets: Targets, query: unknown): Body => ({
  count: find(targets, query).length,
  _shards: SHARDS,
});

/** Hits in the order asked for, else in that of writing. */
export function search(targets: Targets, body: Body): Body {
  const unknown = Object.keys(body).find((name) => !KNOWN.test(name));
  if (unknown !== undefined) throw cannot(`a search with [${unknown}]`);
  if (Number(body.size ?? 10) > 10_000)
    throw illegal('Result window is too large: size must be at most [10000]');
  const orders = array(body.sort).map(
    (order) => Object.entries(typeof order === 'string' ? { [order]: 'asc' } : object(order))[0] ?? ['', ''],
  );
  const found = find(targets, body.query).map((hit) => ({
    ...hit,
    sort: orders.map(([field]) => sortValue(hit.index, hit.doc, field)),
  }));
  const compare = (a: readonly Value[], b: readonly Value[]): number => {
    const at = orders.findIndex((_, i) => a[i] !== b[i]);
    const sign = /desc/.test(JSON.stringify(orders[at])) ? -1 : 1;
    return at < 0 ? 0 : (a[at] ?? 0) < (b[at] ?? 0) ? -sign : sign;
  };
  const after = array(body.search_after).flatMap((value, i) =>
    comparable(typeof found[0]?.sort[i] === 'string' ? 'keyword' : 'long', value),
  );
  const rest = after.length === 0 ? found : found.filter((hit) => compare(hit.sort, after) > 0);
  const hits = rest
    .sort((a, b) => compare(a.sort, b.sort))
    .slice(0, Number(body.size ?? 10))
    .map(({ index, doc, sort }) => ({
      ...present(index, doc, body._source),
      _score: orders.length > 0 ? null : 1,
      ...(orders.length > 0 && { sort }),
    }));
  return {
    took: 0,
    timed_out: false,
    _shards: SHARDS,
    hits: { total: { value: found.length, relation: 'eq' }, max_score: null, hits },
  };
}

/** A document by its id, as of its last write. */
export function get(index: Index, id: string, source?: unknown): Body {
  const doc = index.documents.get(id);
  return (doc?.source ?? null) === null || doc === undefined
    ? { _index: index.name, _id: id, found: false }
    : { ...present(index, doc, source), found: true };
}

function present(index: Index, doc: Doc, wanted: unknown): Body {
  const some = () => Object.fromEntries(array(wanted).map((name) => [name, doc.fields[String(name)]]));
  const source = wanted === false ? undefined : wanted === undefined || wanted === true ? doc.source : some();
  return {
    _index: index.name,
    _id: doc.id,
    _version: doc.version,
    _seq_no: doc.seqNo,
    _primary_term: 1,
    _source: source,
  };
}

function find(targets: Targets, query: unknown): { index: Index; doc: Doc }[] {
  return targets.flatMap(({ index, filter }) => {
    const tests = [tester(index, filter), tester(index, query)];
    const docs = visible(index)
      .values()
      .filter((doc) => doc.source !== null && tests.every((test) => test(doc)));
    return [...docs.map((doc) => ({ index, doc }))];
  });
}

/** Refreshes when the index's interval says so. */
function visible(index: Index): ReadonlyMap<string, Doc> {
  const seconds = Number.parseFloat(String(index.settings['index.refresh_interval'] ?? '1s'));
  if (seconds >= 0 && Date.now() >= (index.unrefreshedSinceMs ?? Infinity) + seconds * 1000) refresh(index);
  return index.visible;
}

export function refresh(index: Index): void {
  if (index.unrefreshedSinceMs !== null) index.visible = new Map(index.documents);
  index.unrefreshedSinceMs = null;
}

function tester(index: Index, query: unknown): Test<Doc> {
  const [[kind, given] = ['match_all', {}]] = Object.entries(object(query));
  const { filter, must, must_not: mustNot, values: ids } = object(given);
  const testers = (parts: unknown) => array(parts).map((part) => tester(index, part));
  if (kind === 'match_all') return () => true;
  if (kind === 'bool') {
    const [all, none] = [[...testers(filter), ...testers(must)], testers(mustNot)];
    return (doc) => all.every((test) => test(doc)) && !none.some((test) => test(doc));
  }
  const wanted = new Set(array(ids).map(String));
  if (kind === 'ids') return (doc) => wanted.has(doc.id);
  const [[field, condition] = ['', null]] = Object.entries(object(given));
  const type = typeOf(index, field);
  const test = valueTester(kind, type, condition);
  return (doc) => values(doc, field, type).some(test);
}

function valueTester(kind: string, type: string, condition: unknown): Test<Value> {
  if (kind === 'range') {
    const bound = (name: string) => comparable(type, object(condition)[name])[0];
    const [gte, gt, lte, lt] = ['gte', 'gt', 'lte', 'lt'].map(bound);
    return (value) =>
      !(
        value < (gte ?? value) ||
        value > (lte ?? value) ||
        (gt !== undefined && value <= gt) ||
        (lt !== undefined && value >= lt)
      );
  }
  const given = object(condition).value ?? object(condition).query ?? condition;
  const wanted = new Set(
    array(given).flatMap((value) =>
      comparable(kind === 'match' || type !== 'text' ? type : 'keyword', value),
    ),
  );
  if (!/^(term|terms|match)$/.test(kind)) throw cannot(`the query [${kind}]`);
  return (value) => wanted.has(value);
}

function sortValue(index: Index, doc: Doc, field: string): Value {
  const type = typeOf(index, field);
  if (type === '' || type === 'text') throw illegal(`No field data for [${field}] in order to sort on`);
  return values(doc, field, type)[0] ?? (type === 'keyword' ? '\u{10ffff}' : Infinity);
}

/** A field's type, also that of a sub-field (`name.keyword`); empty for one that is not mapped. */
function typeOf({ mappings }: Index, path: string): string {
  const [name = '', sub] = path.split('.');
  const field = object(object(mappings.properties)[name]);
  return String((sub === undefined ? field : object(object(field.fields)[sub])).type ?? '');
}

const values = (doc: Doc, path: string, type: string): Value[] =>
  array(type === '' ? [] : doc.fields[path.split('.')[0] ?? '']).flatMap((value) => comparable(type, value));

/** A value as the index compares it; a text is its words. */
function comparable(type: string, value: unknown): Value[] {
  const text = String(value);
  if (value === null || value === undefined) return [];
  if (type === 'text') return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  if (type === 'date') return [typeof value === 'number' ? value : Date.parse(text)];
  if (!/^(long|integer|short|byte|double|float)$/.test(type)) return [text];
  return [/^-?\d{16,}$/.test(text) ? BigInt(text) : Number(text)];
}
