export type Body = Readonly<Record<string, unknown>>;

/** What Node 24 has and TypeScript's library does not know yet. */
const json = JSON as unknown as {
  parse(text: string, revive: (name: string, value: unknown, at: { source?: string }) => unknown): unknown;
  rawJSON(text: string): unknown;
};
/** JSON whose numbers stay their own text, so that none loses a digit when it is compared or written. Slow. */
export const verbatim = (text: string): unknown =>
  json.parse(text, (_, value, { source = '' }) => (typeof value === 'number' ? json.rawJSON(source) : value));
export const parse = (text: string): unknown => (/\d{16}/.test(text) ? verbatim(text) : JSON.parse(text));

export const isObject = (value: unknown): value is Body =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !('rawJSON' in value);
export const object = (value: unknown): Body => (isObject(value) ? value : {});
/** A value, or those of nested arrays, without nulls. */
export const list = (value: unknown): unknown[] => [value].flat(9).filter((part) => (part ?? null) !== null);
/** The one member of `{name: value}`. */
export const only = (value: unknown): [string, unknown] => Object.entries(object(value))[0] ?? ['', {}];
/** A scalar as its text, anything else as JSON. */
export const word = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value ?? null));
/** A number from its text, a whole one of any length; NaN for what is none. */
export const numberOf = (text: string): bigint | number =>
  /^-?\d+$/.test(text) ? BigInt(text) : /^[-+\d.e]*$/i.test(text) ? Number(text) : Number.NaN;

/** An answer of status 400 and up with OpenSearch's own type, less its `_exception`. */
export const refusal = (status: number, type: string, reason: string) =>
  Object.assign(new Error(reason), { status, error: { type: `${type}_exception`, reason } });
export const cannot = (what: string) =>
  refusal(400, 'illegal_argument', `the built-in development node does not do this: ${what}`);

/** What the work answers, else status and error of its refusal; a fault of the node itself is a 500. */
export function attempt(work: () => unknown): unknown {
  try {
    return work();
  } catch (fault) {
    const other = refusal(fault instanceof SyntaxError ? 400 : 500, 'mapper_parsing', String(fault));
    const { status, error } = { ...other, ...(fault as object) };
    return { status, error };
  }
}
