/**
 * The cluster's words about a document, made safe to keep. The cluster quotes values of the document in its reasons ("Preview
 * of field's value: …"), and a pipeline says there what its author likes. Dead letters, logs and journals must not hold
 * such values: only the kind of the error, the field and its type. Pure.
 */

/** What the cluster says of one document. */
export interface ClusterSaying {
  /** `error.type` */
  readonly type: string;
  /** `error.reason`, with the reason of what caused it. */
  readonly reason: string;
  /** `error.caused_by.type`; null: none. */
  readonly cause: string | null;
}

/** What a reader of the words may see. */
export interface WordsScope {
  /** The names of the document's fields. */
  readonly fields: readonly string[];
  /** Fields whose values may be kept. */
  readonly keepFields: readonly string[];
}

/** Where reasons name a field. */
const FIELD_PLACES = [
  /\bfield \[([^\]]+)\]/,
  /\bfield="([^"]+)"/,
  /\bfield name \[([^\]]+)\]/,
  /\bobject mapping for \[([^\]]+)\]/,
  /\bmapper \[([^\]]+)\]/,
];
const FIELD_TYPE = /\bof type \[([a-z_]+)\]/;
const IDENTIFIER = /^[a-z][a-z0-9_]*$/;

/** What a reason means, without what it quotes. */
const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [/immense term/, 'a term is longer than 32,766 bytes'],
  [/out of range/i, 'a number is out of range'],
  [/found a concrete value|can't get text|but got a/i, 'a value is of another kind than the mapping says'],
  [/failed to parse date field/, 'a date is in no format of the mapping'],
  [/strict_dynamic_mapping|mapping set to strict/, 'the mapping does not allow a field'],
  [/limit of total fields/i, 'the index has too many fields'],
  [/duplicate field/i, 'an object has one name twice'],
  [/limit of mapping depth|nested documents/i, 'the document is nested too deep'],
];

/** The type and the meaning of an error, with its field. All of the cluster's words where the field may be kept. */
export function safeClusterWords({ type, reason, cause }: ClusterSaying, scope: WordsScope): string {
  const field = fieldIn(reason, scope.fields);
  if (field !== null && scope.keepFields.includes(field)) return reason;
  const [, fieldType] = FIELD_TYPE.exec(reason) ?? [];
  const what =
    field === null
      ? 'The document'
      : `The field "${field}"${fieldType === undefined ? '' : ` of type ${fieldType}`}`;
  const kinds = [type, cause].filter((kind) => kind !== null && IDENTIFIER.test(kind));
  const meaning = MEANINGS.find(([pattern]) => pattern.test(`${type} ${reason}`))?.[1];
  const known = [...kinds, ...(meaning === undefined ? [] : [meaning])];
  return `${what} is refused: ${known.length === 0 ? 'for a reason without a known type' : known.join(', ')}.`;
}

/** The field of the document that a reason speaks of; of a path within a field, the field. */
function fieldIn(reason: string, fields: readonly string[]): string | null {
  for (const place of FIELD_PLACES) {
    const [, path] = place.exec(reason) ?? [];
    if (path === undefined) continue;
    const field = fields.find((name) => path === name || path.startsWith(`${name}.`));
    if (field !== undefined) return field;
  }
  return null;
}
