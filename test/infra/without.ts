type Inputs = Readonly<Record<string, unknown>>;

/** Inputs of a resource without some of their properties. */
export function without(inputs: Inputs, ...properties: readonly string[]): Inputs {
  return Object.fromEntries(Object.entries(inputs).filter(([property]) => !properties.includes(property)));
}
