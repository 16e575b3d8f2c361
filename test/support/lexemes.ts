type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown;

/**
 * Parses JSON with each number as `{number: <as it stands in the text>}`: `1.50` is not `1.5`, and no digit is lost.
 */
export function parseLexemes(text: string): unknown {
  const revive: Reviver = (_key, value, { source }) =>
    typeof value === 'number' ? { number: source ?? '' } : value;
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown);
}
