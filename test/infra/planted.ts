import type { Shown } from './policy-run.ts';

/**
 * The same resources with another value at one place of one of them.
 *
 * @param resource its name and the last part of its type: `fleet-workers:Group`
 * @param path of the property, with numbers for places in lists: `ingress.0.cidrBlocks`
 * @param value undefined: none
 */
export function planted(
  resources: readonly Shown[],
  resource: string,
  path: string,
  value: unknown,
): Shown[] {
  const [name, type] = resource.split(':');
  const found = resources.filter((each) => each.name === name && each.type.endsWith(`:${type}`));
  if (found.length !== 1) throw new Error(`${found.length} resources are ${resource}`);
  return resources.map((each) =>
    each === found[0] ? { ...each, props: changed(each.props, keysOf(path), value) } : each,
  );
}

/** Paths of everything in a resource's properties: maps and lists, and what is in them. */
export function leavesOf(props: unknown, above: readonly string[] = []): string[] {
  if (typeof props !== 'object' || props === null) return [];
  return Object.entries(props).flatMap(([key, value]) => {
    const path = [...above, key.replaceAll('.', '\\.')];
    return [path.join('.'), ...leavesOf(value, path)];
  });
}

/** A key with a dot of its own has a backslash before it. */
function keysOf(path: string): string[] {
  return path.split(/(?<!\\)\./).map((key) => key.replaceAll('\\.', '.'));
}

function changed(holder: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  const copy: object = Array.isArray(holder) ? [...holder] : { ...(holder as object) };
  const inner = changed(Reflect.get(copy, key), rest, value);
  if (inner === undefined) Reflect.deleteProperty(copy, key);
  else Reflect.set(copy, key, inner);
  return copy;
}
