/** How the texts of a policy are compared with those of a request. `*` stands for any text, `?` for one letter. */

/** Names of services and actions are the same in capitals and small letters. */
export function matchesAction(pattern: string, action: string): boolean {
  return globOf(pattern, 'i').test(action);
}

/**
 * A `*` at the end of an ARN's part goes beyond its colon, any other `*` and every `?` does not.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 */
export function matchesResource(pattern: string, resource: string): boolean {
  const source = pattern.replace(/\*(?=:|$)|[*?]|[^*?]+/g, (part, at: number) => {
    if (part === '?') return '[^:]';
    if (part !== '*') return literally(part);
    return at + 1 === pattern.length || pattern[at + 1] === ':' ? '.*' : '[^:]*';
  });
  return new RegExp(`^${source}$`, 's').test(resource);
}

/** `StringLike`: capitals and small letters differ, and a colon is a letter as any other. */
export function matchesText(pattern: string, text: string): boolean {
  return globOf(pattern, '').test(text);
}

/** `ArnLike` and `ArnEquals`, which are the same: each of the six parts by itself. */
export function matchesArn(pattern: string, arn: string): boolean {
  const patterns = partsOf(pattern);
  const parts = partsOf(arn);
  return patterns.length === parts.length && patterns.every((part, at) => matchesText(part, parts[at] ?? ''));
}

function partsOf(arn: string): string[] {
  const parts = arn.split(':');
  return [...parts.slice(0, 5), parts.slice(5).join(':')];
}

function globOf(pattern: string, flags: string): RegExp {
  const source = pattern.replace(/[*?]|[^*?]+/g, (part) =>
    part === '*' ? '.*' : part === '?' ? '.' : literally(part),
  );
  return new RegExp(`^${source}$`, `s${flags}`);
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
