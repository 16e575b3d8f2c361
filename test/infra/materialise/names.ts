/** Names that are not only written with a capital letter in AWS's API. */
const OTHERWISE: Readonly<Record<string, string>> = { sseAlgorithm: 'SSEAlgorithm' };

/**
 * A value by the names of AWS's API: Pulumi's provider has the same ones with a small letter. Not for maps whose keys a
 * person has chosen.
 */
function pascal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pascal);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      OTHERWISE[name] ?? `${name.charAt(0).toUpperCase()}${name.slice(1)}`,
      pascal(member),
    ]),
  );
}

/** The same of a map's members, for the parameters of a call. */
export function members(inputs: object): Record<string, unknown> {
  return pascal(inputs) as Record<string, unknown>;
}

export type TagMap = Readonly<Record<string, string>> | undefined;

export function tagList(tags: TagMap): { readonly Key: string; readonly Value: string }[] {
  return Object.entries(tags ?? {}).map(([Key, Value]) => ({ Key, Value }));
}

/** For calls of EC2 that make something. */
export function tagsAtBirth(resourceType: string, tags: TagMap) {
  return { TagSpecifications: [{ ResourceType: resourceType, Tags: tagList(tags) }] };
}
