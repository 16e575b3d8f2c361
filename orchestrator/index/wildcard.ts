/** Whether a text matches a pattern of a cluster, in which `*` stands for any text. */
export function matchesPattern(text: string, pattern: string): boolean {
  return new RegExp(
    `^${pattern
      .split('*')
      .map((part) => RegExp.escape(part))
      .join('.*')}$`,
  ).test(text);
}
