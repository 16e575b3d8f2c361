/**
 * A setting as it was written into a stack's configuration. Pulumi hands maps and lists on as JSON; every other value is a
 * text, also where it looks like a number.
 *
 * @param name the first part of its key: `watch`
 */
export function writtenValue(name: string, text: string): unknown {
  if (SECRETS.has(name) || !/^\s*[[{]/.test(text)) return text;
  try {
    return asMeant(name, JSON.parse(text));
  } catch {
    return text;
  }
}

/** Texts, whatever they look like. */
export const SECRETS: ReadonlySet<string> = new Set(['source_password', 'target_password', 'target_api_key']);

/**
 * `pulumi config set --path` keeps whole numbers, true and false as such, also where a text is meant, and fractions as
 * texts. https://github.com/pulumi/pulumi/issues/18064
 */
function asMeant(name: string, value: unknown): unknown {
  if (!isMap(value)) return value;
  switch (name) {
    case 'tags':
      return textsIn(value);
    case 'instances':
      return isMap(value.parameters) ? { ...value, parameters: textsIn(value.parameters) } : value;
    case 'price':
      return withNumber(value, 'per_hour');
    case 'watch':
      return withNumber(value, 'cost_per_day');
    default:
      return value;
  }
}

type Values = Readonly<Record<string, unknown>>;

function textsIn(map: Values): Values {
  return Object.fromEntries(
    Object.entries(map).map(([key, value]) => [
      key,
      typeof value === 'number' || typeof value === 'boolean' ? String(value) : value,
    ]),
  );
}

function withNumber(map: Values, key: string): Values {
  const value = map[key];
  return typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? { ...map, [key]: Number(value) } : map;
}

function isMap(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
