import type { Doc, Index } from './indexes.ts';
import { type Body, cannot, isObject, list, numberOf, object, only, verbatim, word } from './wire.ts';

type Value = string | number | bigint;
export const _shards = { total: 1, successful: 1, failed: 0 };

/** Hits in the rising order of a number's field, else in that of writing. */
export function search(indexes: Index[], body: Body): Body {
  const { query, size = 10, sort, search_after: after, _source = true, version: _, ...others } = body;
  const [field, direction = ''] = only(list(sort)[0]);
  if (Object.keys(others).length > 0 || Number(size) > 10_000 || /* */ typeof _source !== 'boolean')
    throw cannot(`the search ${word(body)}`);
  const found = select(indexes, query);
  const keyOf = ({ fields }: Doc) => numberOf(word(fields[field]));
  const [least] = list(after).map((key) => numberOf(word(key)));
  const rest = found.filter((doc) => least === undefined || keyOf(doc) > least);
  if (sort !== undefined) rest.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const hits = rest.slice(0, Number(size)).map((doc) => present(doc, _source));
  return {
    took: 0,
    timed_out: false,
    _shards,
    hits: { total: { value: found.length, relation: 'eq' }, hits },
  };
}

/** A document by its id, as of its last write. */
export function get([index]: Index[], _id: string, withSource = true): Body {
  const doc = index?.documents.get(_id);
  return doc === undefined
    ? { _id, found: false, status: 404 }
    : { ...present(doc, withSource), found: true };
}

function present({ _index, _id, _version, source }: Doc, withSource: boolean): Body {
  return { _index, _id, _version: Number(_version), ...(withSource && { _source: verbatim(source) }) };
}

export function select(indexes: Index[], query: unknown = { match_all: {} }): Doc[] {
  return indexes.flatMap((index) => {
    const isLive = index.settings['index.refresh_interval'] !== '-1';
    return [...(isLive ? index.documents : index.refreshed).values()].filter(tester(index, query));
  });
}

function tester(index: Index, query: unknown): (doc: Doc) => boolean {
  const [kind, given] = only(query);
  const [path, asked] = only(given);
  const read = reader(index, path);
  const { gte, lt, operator, query: text, ...others } = isObject(asked) ? asked : { query: asked };
  if (!/^(match_all|range|match|terms?)$/.test(kind) || Object.keys(others).length > 0)
    throw cannot(`the query ${word(query)}`);
  const [[least], [end], wanted] = [read(gte), read(lt), read(text)];
  const isIn = (value: Value) => value >= (least ?? value) && (end === undefined || value < end);
  const quantifier = operator === 'and' ? 'every' : 'some';
  const matches = (values: Value[]) => wanted[quantifier]((value) => values.includes(value));
  const test = kind === 'range' ? (values: Value[]) => values.some(isIn) : matches;
  return ({ fields }) => kind === 'match_all' || test(read(fields[path.replace(/\..*/, '')]));
}

/** Makes a field's values comparable: numbers without loss, a text as its words, all else as it is written. */
function reader({ mappings, settings }: Index, path: string): (value: unknown) => Value[] {
  const { type, analyzer } = object(object(mappings.properties)[path]);
  const folds = list(settings[`index.analysis.analyzer.${word(analyzer)}.filter`]).includes('asciifolding');
  const folded = (text: string) => (folds ? text.normalize('NFD').replace(/\p{M}/gu, '') : text);
  const words = (text: string) =>
    folded(text)
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? [];
  const isNumber = /^(long|integer|short|double|float)$/.test(word(type));
  const read = type === 'text' ? words : isNumber ? numberOf : String;
  return (value) => list(value).flatMap((part) => read(word(part)));
}
