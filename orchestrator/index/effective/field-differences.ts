/** The mapping of a field. */
export type Field = Readonly<Record<string, unknown>>;

/** Whether two mappings of a field are the same, parameter by parameter, with sub-fields and the fields of an object. */
export function sameField(one: unknown, other: unknown): boolean {
  const [a, b] = [plain(one), plain(other)];
  if (!isMap(a) || !isMap(b)) return JSON.stringify(text(a)) === JSON.stringify(text(b));
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => sameField(a[name], b[name]));
}

/** What of a field differs, in words. Empty when nothing does. */
export function fieldDifferences(path: string, wanted: Field, found: Field): string[] {
  const [a, b] = [plain(wanted), plain(found)];
  if (!isMap(a) || !isMap(b)) return [];
  if (!sameField(typeOf(a), typeOf(b)))
    return [`the field "${path}" is ${JSON.stringify(typeOf(b))}, not ${JSON.stringify(typeOf(a))}`];
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter(
    (name) => !sameField(a[name], b[name]),
  );
  return names.flatMap((name) => {
    const [before, now] = [a[name], b[name]];
    if (name === 'properties' || name === 'fields')
      return partDifferences(path, isMap(before) ? before : {}, isMap(now) ? now : {});
    if (now === undefined) return [`the field "${path}" has lost ${name}: ${JSON.stringify(before)}`];
    if (before === undefined) return [`the field "${path}" came with ${name}: ${JSON.stringify(now)}`];
    return [`the field "${path}" has ${name}: ${JSON.stringify(now)}, not ${JSON.stringify(before)}`];
  });
}

function partDifferences(path: string, wanted: Field, found: Field): string[] {
  return [...new Set([...Object.keys(wanted), ...Object.keys(found)])].flatMap((name) => {
    const [before, now] = [wanted[name], found[name]];
    const here = `${path}.${name}`;
    if (!isMap(before)) return [`it came with the field "${here}"`];
    if (!isMap(now)) return [`the field "${here}" is missing`];
    return fieldDifferences(here, before, now);
  });
}

/** Leaves out what a cluster leaves out: that an object is an object. */
function plain(field: unknown): unknown {
  if (!isMap(field) || field['type'] !== 'object') return field;
  const { type: _, ...rest } = field;
  return rest;
}

function typeOf(field: Field): unknown {
  return field['type'] ?? 'object';
}

/** Scalars as their text: a cluster may write true as "true". */
function text(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(text);
  if (isMap(value))
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, text(part)]));
  if (value === undefined || value === null) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function isMap(value: unknown): value is Field {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
