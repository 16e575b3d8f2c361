import { Lexeme } from '../exact-json.ts';
import type { Field, Indexing } from './indexing.ts';
import { textQuestion } from './text-question.ts';

type Query = Readonly<Record<string, unknown>>;

/** A query that finds a document by a value that one of its fields holds. */
export interface Question {
  readonly path: string;
  readonly type: string;
  /** The value, or a part of it. Numbers are Lexemes. */
  readonly value: unknown;
  readonly query: Query;
}

const WHOLE = /^(long|integer|short|byte|unsigned_long)$/;
const NUMBER_TEXT = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;
/** How far a number may be from its value in the index, as a share of it: single and half precision round. */
const ROUNDING: Readonly<Record<string, number>> = { float: 1e-6, half_float: 2e-3 };
/** Formats in which a value that was indexed means the same in a query. */
const PLAIN_DATE_FORMAT =
  /^((strict_)?date_optional_time(_nanos)?|(strict_)?date|epoch_millis|epoch_second)(\|\|((strict_)?date_optional_time(_nanos)?|(strict_)?date|epoch_millis|epoch_second))*$/;
/** Types whose values can be asked for only as being there. */
const EXISTING =
  /^(geo_point|geo_shape|xy_point|xy_shape|point|shape|integer_range|long_range|float_range|double_range|date_range|ip_range|match_only_text|search_as_you_type|wildcard)$/;

/**
 * The questions that a field's value allows. Each must find the document. A value that the mapping itself leaves out
 * of the index allows none, and neither does a type that nobody has tried: a question never finds fault with a sound
 * index. Pure.
 */
export function questionsOf(path: string, field: Field, value: unknown, indexing: Indexing): Question[] {
  if (value === null || value === undefined || isOff(field['enabled'])) return [];
  if (Array.isArray(value))
    return onceEach(value.flatMap((part: unknown) => questionsOf(path, field, part, indexing)));
  const subFields = Object.entries(partsOf(field, 'fields')).flatMap(([name, sub]) =>
    questionsOf(`${path}.${name}`, sub, value, indexing),
  );
  const properties = Object.entries(partsOf(field, 'properties')).flatMap(([name, part]) =>
    questionsOf(`${path}.${name}`, part, partOf(value, name), indexing),
  );
  const type = typeof field['type'] === 'string' ? field['type'] : 'object';
  if (type === 'nested')
    return properties.map((question) => ({
      ...question,
      query: { nested: { path, query: question.query } },
    }));
  const query = queryOf(path, { ...field, type }, value, indexing);
  return [...(query === null ? [] : [{ path, type, value, query }]), ...subFields, ...properties];
}

type TypedField = Field & { readonly type: string };

function queryOf(path: string, field: TypedField, value: unknown, indexing: Indexing): Query | null {
  const { type } = field;
  const drops = field['ignore_malformed'] ?? indexing.dropsMalformed;
  if (drops !== false && drops !== 'false') return null;
  const there: Query = { exists: { field: path } };
  const scalar = textOf(value);
  if (EXISTING.test(type)) return value === '' ? null : there;
  if (scalar === null || !scalar.isWellFormed()) return null;
  if (type === 'text') return isOff(field['index']) ? null : textQuestion(path, field, value, indexing);
  if (type === 'keyword' && scalar.length > Number(field['ignore_above'] ?? indexing.ignoreAbove))
    return null;
  const known = /^(keyword|boolean|date|date_nanos|ip|double|scaled_float)$/.test(type) || WHOLE.test(type);
  if (!known && ROUNDING[type] === undefined) return null;
  // An empty text is no number and no boolean, and the cluster takes it for none.
  if (scalar === '' && type !== 'keyword') return null;
  if (isOff(field['index'])) return isOff(field['doc_values']) ? null : there;
  if (type === 'keyword')
    return value instanceof Lexeme && !/^-?\d{1,15}$/.test(scalar) ? there : term(path, scalar);
  if (type === 'ip') return /^[\d.]+$|^[\da-fA-F:.]+$/.test(scalar) ? term(path, scalar) : there;
  if (type === 'boolean') return /^(true|false)$/.test(scalar) ? term(path, scalar) : null;
  if (type.startsWith('date'))
    return typeof value === 'string' && isPlainDate(field, scalar) ? term(path, scalar) : there;
  return numberQuery(path, field, scalar, indexing) ?? there;
}

/** Null where only being there can be asked. Zero has a sign in the index, and texts may spell it in either way. */
function numberQuery(path: string, field: TypedField, text: string, { coerces }: Indexing): Query | null {
  const number = Number(text);
  if (!NUMBER_TEXT.test(text) || !Number.isFinite(number) || number === 0) return null;
  if (WHOLE.test(field.type)) {
    const mayRound = field['coerce'] === true || (field['coerce'] === undefined && coerces);
    return mayRound && number % 1 !== 0 ? null : term(path, text);
  }
  if (field.type === 'double') return term(path, text);
  const margin =
    field.type === 'scaled_float'
      ? 1 / Number(field['scaling_factor'])
      : Math.abs(number) * (ROUNDING[field.type] ?? 0) + Number.MIN_VALUE;
  if (!Number.isFinite(margin) || Math.abs(number) < 1e-4 || Math.abs(number) > 6e4) return null;
  return { range: { [path]: { gte: number - margin, lte: number + margin } } };
}

function isPlainDate(field: Field, text: string): boolean {
  const { format = 'strict_date_optional_time', locale } = field;
  return (
    typeof format === 'string' &&
    PLAIN_DATE_FORMAT.test(format) &&
    locale === undefined &&
    /^[-+\d:.TZ]+$/.test(text)
  );
}

function term(path: string, value: string): Query {
  return { term: { [path]: { value } } };
}

/** The text of a scalar. Null for anything else. */
function textOf(value: unknown): string | null {
  if (value instanceof Lexeme) return value.text;
  return typeof value === 'string' || typeof value === 'boolean' ? String(value) : null;
}

function onceEach(questions: readonly Question[]): Question[] {
  return [...new Map(questions.map((question) => [JSON.stringify(question.query), question])).values()];
}

function isOff(value: unknown): boolean {
  return value === false || value === 'false';
}

/** What of an object lies under a name. A name with a dot in a document means the same as two objects. */
function partOf(value: unknown, name: string): unknown {
  const isObject = typeof value === 'object' && value !== null && !(value instanceof Lexeme);
  return isObject && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
}

function partsOf(field: Field, name: string): Readonly<Record<string, Field>> {
  const parts = field[name];
  return typeof parts === 'object' && parts !== null ? (parts as Readonly<Record<string, Field>>) : {};
}
