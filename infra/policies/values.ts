import { UnknownValueError } from '@pulumi/policy';

/** Stands for what only the deployment will tell: no rule can hold it against a resource in a preview. */
export const UNKNOWN: unique symbol = Symbol('known after the deployment');

/** A copy of a resource's properties that can be read without a thought: Pulumi's own throw where a value is not known yet. */
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

/** Undefined where there is nothing, UNKNOWN where it or what holds it is. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const key of path) {
    if (found === UNKNOWN) return UNKNOWN;
    found = isMap(found) && Object.hasOwn(found, key) ? Reflect.get(found, key) : undefined;
  }
  return found ?? undefined;
}

/** Of a property that is a list, or one thing that AWS takes as a list of one. What is not known is in it as UNKNOWN. */
export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = at(value, ...path);
  if (found === undefined) return [];
  return Array.isArray(found) ? found : [found];
}

/** Those that are known. */
export function textsAt(value: unknown, ...path: readonly string[]): readonly string[] {
  return listAt(value, ...path).filter((item) => typeof item === 'string');
}

/** It is none of these for sure. */
export function isNone(value: unknown, ...wanted: readonly unknown[]): boolean {
  return value !== UNKNOWN && !wanted.includes(value);
}

/** Not on for sure; some properties of AWS's provider are texts where they mean a boolean. */
export function isOff(value: unknown): boolean {
  return isNone(value, true, 'true');
}

/** A map of JSON, and no asset or other object with a nature of its own. */
function isMap(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
