/** A build for a person: the beginning of the digest of the program, and of that of the definitions. */
export function buildWords(build: string): string {
  return build
    .split('.')
    .map((digest) => digest.slice(0, 12))
    .join('.');
}
