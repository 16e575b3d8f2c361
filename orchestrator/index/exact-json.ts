/** A number exactly as it was written. */
export class Lexeme {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Reviver = (name: string, value: unknown, context: { readonly source?: string }) => unknown;
/** Node 24 gives a reviver the source text of each number. TypeScript's library does not know this yet. */
const parseWithSource = JSON.parse as (text: string, reviver: Reviver) => unknown;

/** Parses JSON. Integers beyond 2^53 become `bigint`, so that no key loses a digit. */
export function parseJson(text: string): unknown {
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  return parseWithSource(text, (_name, value, { source = '' }) => {
    const rounded = typeof value === 'number' && !Number.isSafeInteger(value);
    return rounded && /^-?\d+$/.test(source) ? BigInt(source) : value;
  });
}

/** Parses JSON. All numbers become `Lexeme`, so that they can be compared digit by digit. */
export function parseLexemes(text: string): unknown {
  return parseWithSource(text, (_name, value, { source = '' }) =>
    typeof value === 'number' ? new Lexeme(source) : value,
  );
}

/**
 * Whether two values say the same. The order of an object's fields does not count. Numbers count by their exact decimal
 * value.
 */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a instanceof Lexeme && b instanceof Lexeme) return sameNumber(a.text, b.text);
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((part, i) => sameJson(part, b[i]));
  if (!isRecord(a) || !isRecord(b)) return a === b;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && sameJson(a[name], b[name]))
  );
}

/** The JSON text of a value from `parseLexemes`, for a person. */
export function lexemesToText(value: unknown): string {
  if (value instanceof Lexeme) return value.text;
  if (Array.isArray(value)) return `[${value.map(lexemesToText).join(',')}]`;
  if (!isRecord(value)) return JSON.stringify(value) ?? 'nothing';
  return `{${Object.entries(value)
    .map(([name, part]) => `${JSON.stringify(name)}:${lexemesToText(part)}`)
    .join(',')}}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Lexeme);
}

function sameNumber(a: string, b: string): boolean {
  return a === b || canonicalNumber(a) === canonicalNumber(b);
}

/**
 * Writes a number as `[-]digits e exponent`, without zeros at either end of the digits. Equal numbers give equal texts.
 */
function canonicalNumber(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const trimmed = digits.replace(/0+$/, '');
  if (trimmed === '') return '0';
  const scale = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - trimmed.length);
  return `${sign}${trimmed}e${scale}`;
}
