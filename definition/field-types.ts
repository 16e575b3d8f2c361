/**
 * PostgreSQL's types by their object identifiers (OIDs), which are fixed for built-in types. Source:
 * src/include/catalog/pg_type.dat of PostgreSQL.
 */
export const OID = {
  bool: 16,
  name: 19,
  int8: 20,
  int2: 21,
  int4: 23,
  text: 25,
  json: 114,
  float4: 700,
  float8: 701,
  bpchar: 1042,
  varchar: 1043,
  date: 1082,
  timestamp: 1114,
  timestamptz: 1184,
  numeric: 1700,
  uuid: 2950,
  jsonb: 3802,
} as const;

/** The array type of each native type. */
const ELEMENT_OF_ARRAY: ReadonlyMap<number, number> = new Map([
  [1000, OID.bool],
  [1003, OID.name],
  [1016, OID.int8],
  [1005, OID.int2],
  [1007, OID.int4],
  [1009, OID.text],
  [199, OID.json],
  [1021, OID.float4],
  [1022, OID.float8],
  [1014, OID.bpchar],
  [1015, OID.varchar],
  [1182, OID.date],
  [1115, OID.timestamp],
  [1185, OID.timestamptz],
  [1231, OID.numeric],
  [2951, OID.uuid],
  [3807, OID.jsonb],
]);

export const TIMESTAMP_ARRAY_OID = 1115;

export type FieldCategory =
  | 'integer'
  | 'float'
  | 'numeric'
  | 'text'
  | 'uuid'
  | 'boolean'
  | 'date'
  | 'timestamp'
  | 'json';

export interface FieldType {
  /** True when the worker encodes it from PostgreSQL's binary form. False when it is read through `to_jsonb`. */
  readonly native: boolean;
  /** What it is, or what its elements are. `json` for everything that goes through `to_jsonb`. */
  readonly category: FieldCategory;
  /** The type of an array's elements. Null when it is not a native array. */
  readonly elementOid: number | null;
}

type Mapping = Readonly<Record<string, unknown>>;

const TEXT: Mapping = { type: 'text', fields: { keyword: { type: 'keyword', ignore_above: 256 } } };
const DATE: Mapping = { type: 'date', format: 'strict_date_optional_time' };
/** Stored as given. It is neither parsed nor searchable. */
const OPAQUE: Mapping = { type: 'object', enabled: false };
/**
 * Lucene refuses terms above 32,766 bytes. A character takes up to 4 bytes in UTF-8. Source: Elasticsearch's reference,
 * "ignore_above".
 */
const KEYWORD: Mapping = { type: 'keyword', ignore_above: 8191 };

const NATIVE: ReadonlyMap<number, readonly [FieldCategory, Mapping]> = new Map<
  number,
  readonly [FieldCategory, Mapping]
>([
  [OID.bool, ['boolean', { type: 'boolean' }]],
  [OID.int2, ['integer', { type: 'short' }]],
  [OID.int4, ['integer', { type: 'integer' }]],
  [OID.int8, ['integer', { type: 'long' }]],
  [OID.float4, ['float', { type: 'float' }]],
  [OID.float8, ['float', { type: 'double' }]],
  [OID.numeric, ['numeric', { type: 'double' }]],
  [OID.text, ['text', TEXT]],
  [OID.varchar, ['text', TEXT]],
  [OID.bpchar, ['text', TEXT]],
  [OID.name, ['text', TEXT]],
  [OID.uuid, ['uuid', { type: 'keyword' }]],
  [OID.date, ['date', DATE]],
  [OID.timestamp, ['timestamp', DATE]],
  [OID.timestamptz, ['timestamp', DATE]],
  [OID.json, ['json', OPAQUE]],
  [OID.jsonb, ['json', OPAQUE]],
]);

/** How a column of this type is read. */
export function fieldType(oid: number): FieldType {
  const elementOid = ELEMENT_OF_ARRAY.get(oid) ?? null;
  const known = NATIVE.get(elementOid ?? oid);
  return known === undefined
    ? { native: false, category: 'json', elementOid: null }
    : { native: true, category: known[0], elementOid };
}

/**
 * The mapping of a field for which the definition gives none. An array has the mapping of its elements.
 * @param jsonString for types without a native encoder: whether `to_jsonb` makes a string of them (see `describe.ts`)
 */
export function defaultMapping(oid: number, jsonString = false): Mapping {
  const known = NATIVE.get(ELEMENT_OF_ARRAY.get(oid) ?? oid);
  if (known !== undefined) return known[1];
  return jsonString ? KEYWORD : OPAQUE;
}

/** Whether values of this type may be NaN, infinite, BC or after the year 9999. */
export function mayBeUnrepresentable(oid: number): boolean {
  const { native, category } = fieldType(oid);
  return (
    native &&
    (category === 'float' || category === 'numeric' || category === 'date' || category === 'timestamp')
  );
}
