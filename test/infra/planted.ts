import type { Shown } from './policy-run.ts';

/**
 * The same resources with another value at one place of one of them.
 *
 * @param resource see `resourceIn`
 * @param path of the property, with numbers for places in lists: `ingress.0.cidrBlocks`
 * @param value undefined: none
 */
export function planted(
  resources: readonly Shown[],
  resource: string,
  path: string,
  value: unknown,
): Shown[] {
  const found = resourceIn(resources, resource);
  return resources.map((each) =>
    each === found ? { ...each, props: changed(each.props, keysOf(path), value) } : each,
  );
}

/** @param resource its name and the last part of its type, `fleet-workers:Group`, or the latter alone where there is only one */
export function resourceIn(resources: readonly Shown[], resource: string): Shown {
  const [type = '', name] = resource.split(':').reverse();
  const [found, ...others] = resources.filter(
    (each) => each.type.endsWith(`:${type}`) && (name === undefined || each.name === name),
  );
  if (found === undefined || others.length > 0) throw new Error(`none or several resources are ${resource}`);
  return found;
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
