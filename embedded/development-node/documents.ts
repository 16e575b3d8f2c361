import type { Index } from './indexes.ts';
import {
  attempt,
  type Body,
  cannot,
  isObject,
  list,
  numberOf,
  object,
  parse,
  refusal,
  word,
} from './wire.ts';

const ISO_DATE = /^\d{4}(-\d\d(-\d\d(T(\d\d(:\d\d(:\d\d(\.\d{1,9})?)?)?(Z|[+-]\d\d:\d\d)?)?)?)?)?$/;
const between = (least: bigint | number, most: bigint | number) => (text: string) =>
  numberOf(text) >= least && numberOf(text) <= most;
const isPoint = ({ lat, lon }: Body) => between(-90, 90)(word(lat)) && between(-180, 180)(word(lon));
/** What fits a field of each type. Lucene's longest term has 32,766 bytes. */
const TYPES = new Map<string, (text: string, value: unknown) => boolean>([
  ['long', between(-(2n ** 63n), 2n ** 63n - 1n)],
  ['integer', between(-(2 ** 31), 2 ** 31 - 1)],
  ['short', between(-(2 ** 15), 2 ** 15 - 1)],
  ['double', between(-Number.MAX_VALUE, Number.MAX_VALUE)],
  ['float', between(-(2 ** 128), 2 ** 128)],
  ['boolean', (text) => /^(true|false|)$/.test(text)],
  ['date', (text) => ISO_DATE.test(text) && Date.parse(text) < Infinity],
  ['text', (_, value) => !isObject(value)],
  ['keyword', (text, value) => !isObject(value) && Buffer.byteLength(text) <= 32_766],
  ['object', (_, value) => isObject(value)],
  ['geo_point', (_, value) => isPoint(object(value))],
]);
const typeOf = (field: unknown): string => word(object(field).type ?? 'object');

export function requireTypes({ properties }: Body): void {
  const unknown = Object.values(object(properties)).find((field) => !TYPES.has(typeOf(field)));
  if (unknown !== undefined) throw refusal(400, 'mapper_parsing', `No handler for type [${typeOf(unknown)}]`);
}

/** The document's fields if they fit the mapping, which is taken for a strict one. */
function readFields(source: string, { properties }: Body): Body {
  const fields = object(parse(source));
  for (const [name, value] of Object.entries(fields)) {
    const field = object(properties)[name];
    const fits = (part: unknown) =>
      TYPES.get(typeOf(field))?.(word(part), part) || object(field).enabled === false;
    const bad = list(value).find((part) => !fits(part));
    if (field === undefined) throw refusal(400, 'strict_dynamic_mapping', `[${name}] is not in the mapping`);
    if (bad !== undefined) throw refusal(400, 'mapper_parsing', `failed to parse [${name}]: ${word(bad)}`);
  }
  return fields;
}

/** The actions that this project writes, each with its document. */
const ACTIONS =
  /\{"index":\{"_id":"([^"\\]+)"(?:,"version":(\d+),"version_type":"external_gte")?\}\}\n([^\n]*)\n/gy;

/** `_bulk`: a fault in the body's form refuses all of it; else each item has its own outcome. */
export function bulk(findIndex: () => Index[], body: string): Body {
  const actions = [...body.matchAll(ACTIONS)];
  const length = actions.reduce((sum, [action]) => sum + action.length, 0);
  if (length === 0 || length < body.length)
    throw cannot(`the bulk action ${body.slice(length, length + 99)}`);
  const items = actions.map(([, _id = '', version, source = '']) => {
    const outcome = attempt(() => write(findIndex(), _id, version, source));
    return { index: { _id, ...object(outcome) } };
  });
  return { took: 0, items };
}

function write([index, other]: Index[], _id: string, given: string | undefined, source: string): Body {
  if (index === undefined || other !== undefined) throw cannot('writing to several indexes');
  const { name: _index, settings, mappings, documents } = index;
  if (settings['index.blocks.write'] !== undefined)
    throw refusal(403, 'cluster_block', `index [${_index}] blocked by: [FORBIDDEN/8/index write (api)];`);
  const fields = readFields(source, mappings);
  const current = documents.get(_id)?._version;
  const _version = BigInt(given ?? (current ?? 0n) + 1n);
  if (current !== undefined && _version < current)
    throw refusal(409, 'version_conflict_engine', `[${_id}]: the current version is [${current}]`);
  documents.set(_id, { _index, _id, _version, source, fields });
  const isNew = current === undefined;
  return { _index, result: isNew ? 'created' : 'updated', status: isNew ? 201 : 200 };
}
