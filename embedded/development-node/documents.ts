import { cannot, type Doc, type Index, type Indexes, illegal, refusal } from './indexes.ts';
import { array, type Body, object, parse } from './json.ts';

type Operation = Readonly<{ verb: string; name: string; id: string; metadata: Body; source: string | null }>;
const METADATA = /^(_index|_id|version|version_type|if_seq_no|if_primary_term)$/;
const INTEGER_BITS: Readonly<Record<string, bigint>> = { long: 63n, integer: 31n, short: 15n, byte: 7n };
const ISO_DATE = /^\d{4}(-\d\d(-\d\d(T(\d\d(:\d\d(:\d\d(\.\d{1,9})?)?)?(Z|[+-]\d\d:\d\d)?)?)?)?)?$/;

/** `_bulk`: a fault in the body's form refuses all of it; else each item has its own outcome. */
export function bulk(indexes: Indexes, name: string, text: string, requireAlias: boolean): Body {
  if (text.trim() === '') throw refusal(400, 'action_request_validation', 'no requests added');
  if (!text.endsWith('\n')) throw illegal(String.raw`The bulk request must be terminated by a newline [\n]`);
  const items = readOperations(text, name).map((operation) => {
    const at = { _index: operation.name, _id: operation.id };
    try {
      const index = indexes.writeTarget(operation.name, requireAlias);
      at._index = index.name;
      return { [operation.verb]: { ...at, ...write(index, operation) } };
    } catch (error) {
      const { status, type, message: reason } = error as ReturnType<typeof refusal>;
      return { [operation.verb]: { ...at, status, error: { type, reason } } };
    }
  });
  return { took: 0, errors: items.some((item) => 'error' in object(Object.values(item)[0])), items };
}

function readOperations(text: string, alias: string): Operation[] {
  const lines = text
    .split('\n')
    .values()
    .filter((line) => line !== '');
  return [
    ...lines.map((line) => {
      const [[verb, given] = ['', {}]] = Object.entries(object(parse(line)));
      const { _id: id, _index: name = alias, ...metadata } = object(given);
      const known = Object.keys(metadata).every((parameter) => METADATA.test(parameter)) && id !== undefined;
      if (!/^(index|create|delete)$/.test(verb) || !known) throw cannot(`the bulk action ${line}`);
      const source = verb === 'delete' ? null : String(lines.next().value);
      return { verb, metadata, name: String(name), id: String(id), source };
    }),
  ];
}

function write(index: Index, { verb, id, metadata, source }: Operation): Body {
  const blocks = Object.keys(index.settings).filter((name) => /^index\.blocks\.(write|read_only)/.test(name));
  const blocked = refusal(
    403,
    'cluster_block',
    `index [${index.name}] blocked by: [FORBIDDEN/8/index write (api)];`,
  );
  if (blocks.some((name) => index.settings[name] === 'true')) throw blocked;
  const fields = source === null ? {} : checkDocument(id, source, index.mappings);
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
  index.unrefreshedSinceMs ??= Date.now();
  const written = { _version: version, _seq_no: seqNo, _primary_term: 1 };
  const existed = (current?.source ?? null) !== null;
  if (source === null)
    return { ...written, result: existed ? 'deleted' : 'not_found', status: existed ? 200 : 404 };
  return { ...written, result: existed ? 'updated' : 'created', status: existed ? 200 : 201 };
}

function nextVersion(id: string, verb: string, metadata: Body, current: Doc | undefined): bigint {
  const conflict = refusal(
    409,
    'version_conflict_engine',
    `[${id}]: version conflict, current [${current?.version}]`,
  );
  const { version, version_type: type, if_seq_no: seqNo } = metadata;
  const lives = current !== undefined && current.source !== null;
  if ((verb === 'create' && lives) || (seqNo !== undefined && !(lives && current.seqNo === seqNo)))
    throw conflict;
  if (version === undefined) return (current?.version ?? 0n) + 1n;
  if (type !== 'external_gte') throw cannot(`version_type [${String(type)}]`);
  if (current !== undefined && BigInt(String(version)) < current.version) throw conflict;
  return BigInt(String(version));
}

/** The document's fields if it fits the mapping. What lies inside of objects is not checked. */
function checkDocument(id: string, source: string, { dynamic, properties }: Body): Body {
  const fields = object(tryParse(source));
  for (const [name, value] of Object.entries(fields)) {
    const field = object(properties)[name];
    const unknown = `mapping set to ${String(dynamic)}, dynamic introduction of [${name}] within [_doc] is not allowed`;
    if (field === undefined && dynamic === 'strict') throw refusal(400, 'strict_dynamic_mapping', unknown);
    const bad = array(value).find(
      (part) => part !== null && !fits(String(object(field).type), part, object(field)),
    );
    const reason = `failed to parse field [${name}] in document with id '${id}'. Preview of field's value: '${String(bad)}'`;
    if (bad !== undefined) throw refusal(400, 'mapper_parsing', reason);
  }
  return fields;
}

function tryParse(source: string): unknown {
  try {
    return parse(source);
  } catch (error) {
    throw refusal(400, 'mapper_parsing', `failed to parse: ${String(error)}`);
  }
}

function fits(type: string, value: unknown, { format, enabled, ignore_above: ignoreAbove }: Body): boolean {
  const text = String(value);
  const bits = INTEGER_BITS[type];
  if (/^(undefined|geo_point)$/.test(type) || enabled === false) return true;
  if (/^(object|nested)$/.test(type) || object(value) === value)
    return /^(object|nested)$/.test(type) && object(value) === value;
  if (type === 'boolean') return /^(true|false|)$/.test(text);
  if (type === 'date')
    return ISO_DATE.test(text) ? !Number.isNaN(Date.parse(text)) : !format && /^-?\d+$/.test(text);
  if (type === 'keyword') return ignoreAbove !== undefined || Buffer.byteLength(text) <= 32_766;
  if (type === 'text' || type === 'ip') return true;
  if (typeof value === 'boolean' || (text.trim() === '' ? text !== '' : !Number.isFinite(Number(text))))
    return false;
  if (bits === undefined) return type !== 'float' || Number.isFinite(Math.fround(Number(text)));
  const whole = typeof value === 'bigint' ? value : BigInt(Math.trunc(Number(text)));
  return whole >= -(2n ** bits) && whole < 2n ** bits;
}
