import { UnknownValueError } from '@pulumi/policy';

/** Stands for a value that only the deployment knows. In a preview no rule counts it as a violation. */
export const UNKNOWN: unique symbol = Symbol('known after the deployment');

/** A copy of a resource's properties that is safe to read. Pulumi's own throw an error at a value that is not known yet. */
export function plainOf(value: unknown): unknown {
  if (Array.isArray(value)) return Array.from(value, (_, index) => plainAt(value, index));
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.keys(value).map((key) => [key, plainAt(value, key)]));
}

function plainAt(holder: object, key: string | number): unknown {
  try {
    return plainOf(Reflect.get(holder, key));
  } catch (error) {
    if (error instanceof UnknownValueError) return UNKNOWN;
    throw error;
  }
}

/** The value at a path. Undefined: there is none. UNKNOWN: it, or something above it, is not known yet. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const key of path) {
    if (found === UNKNOWN) return UNKNOWN;
    found = isMap(found) && Object.hasOwn(found, key) ? Reflect.get(found, key) : undefined;
  }
  return found ?? undefined;
}

/** The list at a path. A single value counts as a list of one, as for AWS. A value that is not known is in it as UNKNOWN. */
export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = at(value, ...path);
  if (found === undefined) return [];
  return Array.isArray(found) ? found : [found];
}

/** The known texts at a path. */
export function textsAt(value: unknown, ...path: readonly string[]): readonly string[] {
  return listAt(value, ...path).filter((item) => typeof item === 'string');
}

/** Whether a value is known and is none of these. */
export function isNone(value: unknown, ...wanted: readonly unknown[]): boolean {
  return value !== UNKNOWN && !wanted.includes(value);
}

/** Whether a property is known and not on. Some properties of AWS's provider are texts that mean a boolean. */
export function isOff(value: unknown): boolean {
  return isNone(value, true, 'true');
}

/** Whether a value is a plain map of JSON, and no asset or other special object. */
function isMap(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
