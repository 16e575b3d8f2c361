/** JSON as the development node speaks it: no digit of an integer is lost on the way in or out. */
export type Body = Record<string, unknown>;
type Reviver = (name: string, value: unknown, context: { source?: string }) => unknown;
/** Node 24 gives a reviver the source of each number; TypeScript's library does not know it yet. */
const parseWithSource = JSON.parse as (text: string, reviver: Reviver) => unknown;

/** Integers that a JavaScript number cannot hold come as bigint; the slow reviver runs only where there are any. */
export function parse(text: string): unknown {
  const exact = (value: unknown, source = '') => (/^-?\d{16,}$/.test(source) ? BigInt(source) : value);
  return /\d{16}/.test(text)
    ? parseWithSource(text, (_, value, { source }) => exact(value, source))
    : JSON.parse(text);
}

/** A Buffer is JSON already and goes out as it is. */
export function stringify(value: unknown): string {
  if (typeof value === 'bigint' || Buffer.isBuffer(value)) return value.toString();
  if (Array.isArray(value)) return `[${value.map(stringify).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).filter(([, part]) => part !== undefined);
  return `{${members.map(([name, part]) => `${JSON.stringify(name)}:${stringify(part)}`).join(',')}}`;
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
export const object = (value: unknown): Body => (isObject(value) ? (value as Body) : {});
export const array = (value: unknown): unknown[] =>
  Array.isArray(value) ? value.flat(9) : [value ?? []].flat();
/** A scalar as its text, anything else as JSON. */
export const word = (value: unknown): string =>
  typeof value === 'string' ? value : stringify(value ?? null);
/** The one member of `{name: value}`. */
export const only = (value: unknown): [string, unknown] => Object.entries(object(value))[0] ?? ['', {}];
