import { runtime } from '@pulumi/pulumi';

/**
 * Values as Pulumi's SDK sends them to an engine. A tree of them is plain, but for secrets and for what is known only after
 * a deployment. Assets and archives stay what they are: maps that a key of Pulumi's marks.
 */

export class Secret {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

/** Stands for a value that a preview cannot know. */
export const UNKNOWN: unique symbol = Symbol('known after the deployment');

type Values = Record<string, unknown>;

/** From the wire; an output's own wrapping (its dependencies) is taken off. */
export function fromWire(value: unknown): unknown {
  if (value === runtime.unknownValue) return UNKNOWN;
  if (Array.isArray(value)) return value.map(fromWire);
  if (!isMap(value)) return value;
  switch (value[runtime.specialSigKey]) {
    case runtime.specialSecretSig:
      return new Secret(fromWire(value.value));
    case runtime.specialOutputValueSig: {
      const inner = Object.hasOwn(value, 'value') ? fromWire(value.value) : UNKNOWN;
      return value.secret === true ? new Secret(inner) : inner;
    }
    default:
      return mapValues(value, fromWire);
  }
}

/** As an engine answers: without wrapped outputs. */
export function toWire(value: unknown): unknown {
  if (value === UNKNOWN) return runtime.unknownValue;
  if (value instanceof Secret)
    return { [runtime.specialSigKey]: runtime.specialSecretSig, value: toWire(value.value) };
  if (Array.isArray(value)) return value.map(toWire);
  return isMap(value) ? mapValues(value, toWire) : value;
}

/** What a provider is given: secrets as they are. */
export function revealed(value: unknown): unknown {
  if (value instanceof Secret) return revealed(value.value);
  if (Array.isArray(value)) return value.map(revealed);
  return isMap(value) ? mapValues(withoutMark(value), revealed) : value;
}

/** What a person sees who looks at state, outputs or a plan. */
export function masked(value: unknown): unknown {
  if (value instanceof Secret) return '[secret]';
  if (Array.isArray(value)) return value.map(masked);
  return isMap(value) ? mapValues(withoutMark(value), masked) : value;
}

export function isMap(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Secret);
}

export function mapValues(map: Values, change: (value: unknown) => unknown): Values {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]));
}

function withoutMark(map: Values): Values {
  return Object.fromEntries(Object.entries(map).filter(([key]) => key !== runtime.specialSigKey));
}
