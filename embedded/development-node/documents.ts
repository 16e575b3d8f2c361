import { cannot, type Doc, type Index, type Indexes, illegal, type Refusal, refusal } from './indexes.ts';
import { array, type Body, object, only, parse, word } from './json.ts';

type Operation = Readonly<{ verb: string; name: string; id: string; metadata: Body; source: string | null }>;
const METADATA = /^(version|version_type|if_seq_no|if_primary_term)$/;
const INTEGER_BITS: Body = { long: 63n, integer: 31n, short: 15n, byte: 7n };
const ISO_DATE = /^\d{4}(-\d\d(-\d\d(T(\d\d(:\d\d(:\d\d(\.\d{1,9})?)?)?(Z|[+-]\d\d:\d\d)?)?)?)?)?$/;

/** `_bulk`: a fault in the body's form refuses all of it; else each item has its own outcome. */
export function bulk(indexes: Indexes, name: string, text: string, requireAlias: boolean): Body {
  const items = readOperations(text, name).map((operation) => {
    const at = { _index: operation.name, _id: operation.id };
    try {
      const index = indexes.writeTarget(operation.name, requireAlias);
      at._index = index.name;
      return { [operation.verb]: { ...at, ...write(index, operation) } };
    } catch (error) {
      const { status, type, message: reason } = error as Refusal;
      return { [operation.verb]: { ...at, status, error: { type, reason } } };
    }
  });
  return { took: 0, errors: items.some((item) => 'error' in object(only(item)[1])), items };
}

/** One document, by its id: what the query demands of the present one holds, or the call is refused. */
export function writeOne(index: Index, id: string, query: URLSearchParams, source: string | null): Body {
  const seqNo = query.get('if_seq_no');
  const verb = source === null ? 'delete' : (query.get('op_type') ?? 'index');
  const metadata = seqNo === null ? {} : { if_seq_no: Number(seqNo) };
  const at = { _index: index.name, _id: id };
  return { ...at, ...write(index, { verb, name: index.name, id, metadata, source }) };
}

function readOperations(text: string, alias: string): Operation[] {
  const lines = text
    .split('\n')
    .values()
    .filter((line) => line !== '');
  const read = (line: string): Operation => {
    const [verb, given] = only(parse(line));
    const { _id: id, _index: name = alias, ...metadata } = object(given);
    const unknown =
      Object.keys(metadata).find((parameter) => !METADATA.test(parameter)) ?? (id === undefined && 'no _id');
    if (!/^(index|create|delete)$/.test(verb) || unknown) throw cannot(`the bulk action ${line}`);
    if (Number(metadata.version) < 0) throw illegal(`illegal version value [${String(metadata.version)}]`);
    return {
      verb,
      metadata,
      name: String(name),
      id: String(id),
      source: verb === 'delete' ? null : String(lines.next().value),
    };
  };
  const operations = lines.map(read).toArray();
  if (operations.length === 0 || !text.endsWith('\n'))
    throw illegal('a bulk request has lines that end in a newline');
  return operations;
}

function write(index: Index, { verb, id, metadata, source }: Operation): Body {
  const blocked = Object.keys(index.settings).some(
    (name) => /^index.blocks.(write|read)/.test(name) && index.settings[name] === 'true',
  );
  if (blocked)
    throw refusal(403, 'cluster_block', `index [${index.name}] blocked by: [FORBIDDEN/8/index write (api)];`);
  const fields = source === null ? {} : checkDocument(source, index.mappings);
  const current = index.documents.get(id);
  const version = nextVersion(id, verb, metadata, current);
  const seqNo = index.nextSeqNo++;
  index.documents.set(id, {
    id,
    source: source === null ? null : Buffer.from(source),
    fields,
    version,
    seqNo,
  });
  index.unrefreshedSinceMs = Math.min(index.unrefreshedSinceMs, Date.now());
  const [result, status] = current?.source
    ? [source === null ? 'deleted' : 'updated', 200]
    : source === null
      ? ['not_found', 404]
      : ['created', 201];
  return { _version: version, result, _seq_no: seqNo, _primary_term: 1, status };
}

function nextVersion(id: string, verb: string, metadata: Body, current: Doc | undefined): bigint {
  const { version, version_type: type, if_seq_no: seqNo } = metadata;
  const given = version === undefined ? (current?.version ?? 0n) + 1n : BigInt(word(version));
  const changed = seqNo !== undefined && !(current?.source && current.seqNo === seqNo);
  if (version !== undefined && type !== 'external_gte') throw cannot(`version_type [${String(type)}]`);
  if ((verb === 'create' && current?.source) || changed || given < (current?.version ?? 0n))
    throw refusal(
      409,
      'version_conflict_engine',
      `[${id}]: version conflict, current version [${current?.version}]`,
    );
  return given;
}

/** The document's fields if it fits the mapping. What lies inside of objects is not checked. */
function checkDocument(source: string, { dynamic, properties }: Body): Body {
  const fields = object(parseDocument(source));
  for (const [name, value] of Object.entries(fields)) {
    const field = object(object(properties)[name]);
    if (dynamic === 'strict' && !(name in object(properties)))
      throw refusal(400, 'strict_dynamic_mapping', `dynamic introduction of [${name}] is not allowed`);
    const bad = array(value).find((part) => part !== null && !fits(field, part, word(part)));
    if (bad !== undefined)
      throw refusal(400, 'mapper_parsing', `failed to parse field [${name}]: '${word(bad)}'`);
  }
  return fields;
}

function parseDocument(source: string): unknown {
  try {
    return parse(source);
  } catch (error) {
    throw refusal(400, 'mapper_parsing', `failed to parse: ${String(error)}`);
  }
}

function fits(
  { type = 'object', format, enabled, ignore_above: ignoreAbove }: Body,
  value: unknown,
  text: string,
): boolean {
  const bits = INTEGER_BITS[String(type)] as bigint | undefined;
  const nested = type === 'object' || type === 'nested';
  if (type === 'geo_point' || enabled === false) return true;
  if (nested || object(value) === value) return nested && object(value) === value;
  const immense = type === 'keyword' && ignoreAbove === undefined && Buffer.byteLength(text) > 32_766;
  if (immense) throw illegal('Document contains at least one immense term');
  if (
    /^(text|keyword|ip)$/.test(String(type)) ||
    (typeof value === 'string' && value === '' && type !== 'date')
  )
    return true;
  if (type === 'boolean') return text === 'true' || text === 'false';
  if (type === 'date')
    return (
      (ISO_DATE.test(text) && !Number.isNaN(Date.parse(text))) || (!format && Number.isSafeInteger(value))
    );
  if (typeof value === 'boolean' || !Number.isFinite(Number(text))) return false;
  if (bits === undefined) return type !== 'float' || Number.isFinite(Math.fround(Number(text)));
  const whole = typeof value === 'bigint' ? value : BigInt(Math.trunc(Number(text)));
  return whole >= -(2n ** bits) && whole < 2n ** bits;
}
