import { cannot, type Doc, type Index, illegal, Refusal, type Target } from './indexes.ts';
import { array, type Body, object, only, parse, word } from './json.ts';

type Value = string | number | bigint;
type Test<T> = (candidate: T) => boolean;
type Hit = Readonly<{ index: Index; doc: Doc; sort: readonly Value[] }>;
const NUMERIC = /^(long|integer|short|byte|double|float)$/;
const KNOWN = /^(query|size|sort|search_after|track_total_hits)$/;
const _shards = { total: 1, successful: 1, skipped: 0, failed: 0 };

export const count = (targets: readonly Target[], query: unknown): Body => ({
  count: find(targets, query, []).length,
  _shards,
});

/** Hits in the order asked for, else in that of writing. Of `stored_fields` it knows `_none_`: not even the id. */
export function search(targets: readonly Target[], { _source, stored_fields: stored, ...body }: Body): Body {
  const size = Number(body.size ?? 10);
  const unknown = Object.keys(body).find((name) => !KNOWN.test(name));
  if (stored !== undefined && stored !== '_none_') throw cannot(`stored_fields [${word(stored)}]`);
  if (unknown !== undefined || size > 10_000) throw cannot(`a search with [${unknown ?? 'size over 10000'}]`);
  const orders = array(body.sort).map((order) =>
    typeof order === 'string' ? ([order, 'asc'] as const) : only(order),
  );
  const found = find(
    targets,
    body.query,
    orders.map(([field]) => field),
  );
  const signs = orders.map(([, order]) => (/desc/.test(JSON.stringify(order)) ? -1 : 1));
  const after = array(body.search_after).map((value) => comparable('long', value)[0] ?? 0);
  const rest = after.length === 0 ? found : found.filter((hit) => compare(hit.sort, after, signs) > 0);
  const page = rest.sort((a, b) => compare(a.sort, b.sort, signs)).slice(0, size);
  const hits = page.map(({ index, doc, sort }) => ({
    ...(stored === undefined ? present(index, doc, _source) : { _index: index.name, _score: null }),
    sort: sort.length > 0 ? sort : undefined,
  }));
  const total = { value: found.length, relation: 'eq' };
  return {
    took: 0,
    timed_out: false,
    _shards,
    hits: { ...(body.track_total_hits === false ? {} : { total }), max_score: null, hits },
  };
}

/** Searches in pairs of lines, of which the first says nothing. What is wrong with one of them is its own answer. */
export function multiSearch(targets: readonly Target[], text: string): Body[] {
  const bodies = text.split('\n').filter((line, i) => i % 2 === 1 && line !== '');
  return bodies.map((body) => {
    try {
      return { ...search(targets, object(parse(body))), status: 200 };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { status, type, message: reason } = error;
      return { error: { type, reason }, status };
    }
  });
}

/** A document by its id, as of its last write. */
export function get({ index }: Target, id: string, source = true): Body {
  const doc = index.documents.get(id);
  return doc?.source
    ? { ...present(index, doc, source), found: true }
    : { _index: index.name, _id: id, found: false };
}

function present(index: Index, { id, version, seqNo, source, fields }: Doc, wanted: unknown = true): Body {
  const some = Object.fromEntries(array(wanted).map((name) => [name, fields[String(name)]]));
  const given = wanted === false ? undefined : wanted === true ? source : some;
  return {
    _index: index.name,
    _id: id,
    _version: version,
    _seq_no: seqNo,
    _primary_term: 1,
    _score: null,
    _source: given,
  };
}

function find(targets: readonly Target[], query: unknown, sortFields: readonly string[]): Hit[] {
  return targets.flatMap(({ index, filter }) => {
    const tests = [tester(index, filter), tester(index, query)];
    const sorts = sortFields.map((field) => ({ field, type: typeOf(index, field) }));
    if (sorts.some(({ type }) => type === '' || type.endsWith('text')))
      throw illegal('a sort needs a field that is mapped and no text');
    const sortOf = (doc: Doc) =>
      sorts.map(({ field, type }) => values(index, doc, field, type)[0] ?? Infinity);
    const docs = visible(index)
      .values()
      .filter((doc) => doc.source !== null && tests.every((test) => test(doc)));
    return docs.map((doc) => ({ index, doc, sort: sortOf(doc) })).toArray();
  });
}

function compare(a: readonly Value[], b: readonly Value[], signs: readonly number[]): number {
  const at = signs.findIndex((_, i) => a[i] !== b[i]);
  const sign = signs[at] ?? 0;
  return (a[at] ?? 0) < (b[at] ?? 0) ? -sign : sign;
}

/** The documents as of the last refresh, after one that is due by the index's interval. */
function visible(index: Index): ReadonlyMap<string, Doc> {
  const intervalMs = milliseconds(word(index.settings['index.refresh_interval'] ?? '1s'));
  if (intervalMs >= 0 && Date.now() >= index.unrefreshedSinceMs + intervalMs) refresh(index);
  return index.visible;
}

/** Deletes for good what a query finds, at once, and forgets what was deleted before. */
export function deleteByQuery(targets: readonly Target[], query: unknown): Body {
  const found = find(targets, query, []);
  for (const { index, doc } of found) index.documents.delete(doc.id);
  for (const { index } of targets) {
    for (const { id, source } of index.documents.values()) if (source === null) index.documents.delete(id);
    index.visible = new Map(index.documents);
  }
  return { deleted: found.length, failures: [] };
}

export function refresh(index: Index): void {
  if (index.settings['index.gc_deletes'] === '0s')
    for (const { id, source } of index.documents.values()) if (source === null) index.documents.delete(id);
  if (index.unrefreshedSinceMs < Infinity) index.visible = new Map(index.documents);
  index.unrefreshedSinceMs = Infinity;
}

export const milliseconds = (time: string): number =>
  Number.parseFloat(time) * (time.endsWith('ms') ? 1 : 1000);

function tester(index: Index, query: unknown): Test<Doc> {
  const [kind, given] = only(query ?? { match_all: {} });
  const { filter, must, must_not: mustNot, values: ids } = object(given);
  const testers = (parts: unknown) => array(parts).map((part) => tester(index, part));
  if (kind === 'match_all') return () => true;
  if (kind === 'exists') {
    const path = String(object(given).field);
    const type = typeOf(index, path);
    return (doc) => type !== '' && atPath(doc.fields, path, index).length > 0;
  }
  if (kind === 'ids') return (doc) => array(ids).includes(doc.id);
  if (kind === 'bool') {
    const [all, none] = [[...testers(filter), ...testers(must)], testers(mustNot)];
    return (doc) => all.every((test) => test(doc)) && !none.some((test) => test(doc));
  }
  const [field, condition] = only(given);
  const type = typeOf(index, field);
  if (kind === 'match') {
    const { query: text = condition, operator } = object(condition);
    const words = comparable(type, text);
    const holds = (doc: Doc) => values(index, doc, field, type);
    return (doc) =>
      operator === 'and'
        ? words.every((word) => holds(doc).includes(word))
        : words.some((word) => holds(doc).includes(word));
  }
  const test = valueTester(kind, type, condition);
  return (doc) => values(index, doc, field, type).some(test);
}

function valueTester(kind: string, type: string, condition: unknown): Test<Value> {
  const [gte, gt, lte, lt] = ['gte', 'gt', 'lte', 'lt'].map(
    (name) => comparable(type, object(condition)[name])[0],
  );
  const above = (value: Value) => value >= (gte ?? value) && (gt === undefined || value > gt);
  const below = (value: Value) => value <= (lte ?? value) && (lt === undefined || value < lt);
  const given = array(object(condition).value ?? condition);
  const wanted = new Set(
    given.flatMap((value) => comparable(type.endsWith('text') ? 'keyword' : type, value)),
  );
  if (kind === 'range') return (value) => above(value) && below(value);
  if (!/^terms?$/.test(kind)) throw cannot(`the query [${kind}]`);
  return (value) => wanted.has(value);
}

/** A field's type, also that of a sub-field (`name.keyword`); empty for one that is not mapped. Of analysis it knows asciifolding. */
function typeOf(index: Index, path: string): string {
  const { settings } = index;
  const field = fieldAt(index, path);
  const { type = '' } = field;
  const filters = array(settings[`index.analysis.analyzer.${word(field.analyzer)}.filter`]);
  return type === 'text' && filters.includes('asciifolding') ? 'folded text' : String(type);
}

/** The mapping of a field, of a sub-field or of a part of an object. */
function fieldAt({ mappings }: Index, path: string): Body {
  const parts = path.split('.');
  return parts.reduce<Body>(
    (field, name) => object(object(field.properties)[name] ?? object(field.fields)[name]),
    mappings,
  );
}

/** The values under a path; a sub-field has those of its field. */
function atPath(fields: Body, path: string, index: Index): unknown[] {
  if (!path.includes('.')) return array(fields[path]).filter((value) => value !== null);
  const parts = path.split('.');
  const held = parts.filter((_, i) => i === 0 || !isSubField(index, parts.slice(0, i + 1)));
  return held
    .reduce<unknown[]>((found, name) => found.flatMap((part) => array(object(part)[name])), [fields])
    .filter((value) => value !== null && value !== undefined);
}

function isSubField(index: Index, parts: readonly string[]): boolean {
  return (parts.at(-1) ?? '') in object(fieldAt(index, parts.slice(0, -1).join('.')).fields);
}

function values(index: Index, { fields }: Doc, path: string, type: string): Value[] {
  return type === '' ? [] : atPath(fields, path, index).flatMap((value) => comparable(type, value));
}

/** A value as the index compares it; a text is its words. */
function comparable(type: string, value: unknown): Value[] {
  if (value === null || value === undefined) return [];
  const isNumber = typeof value === 'bigint' || typeof value === 'number';
  if (isNumber && NUMERIC.test(type)) return [value];
  const text = word(value);
  if (type === 'folded text') return comparable('text', text.normalize('NFD').replace(/\p{M}/gu, ''));
  if (type === 'text') return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  if (type === 'date') return [typeof value === 'number' ? value : Date.parse(text)];
  if (!NUMERIC.test(type)) return [text];
  return [/^-?\d{16,}$/.test(text) ? BigInt(text) : Number(text)];
}
