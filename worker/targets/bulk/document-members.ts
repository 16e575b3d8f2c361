/** Longer ones are left out, so that a dead letter stays a note and not a copy of the row. In characters. */
const MAX_MEMBERS_LENGTH = 16_384;
/** Longer documents are not searched. In characters. */
const MAX_DOCUMENT_LENGTH = 1024 * 1024;
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s"{}[\],:]+/g;

/**
 * The named fields of a document, as JSON text with every digit as it stood; null when none is there or they are too long.
 * The document is one flat object as the encoder writes it.
 */
export function membersNamed(document: string, names: readonly string[]): string | null {
  if (names.length === 0 || document.length > MAX_DOCUMENT_LENGTH) return null;
  const kept = membersOf(document)
    .filter(([name]) => names.includes(JSON.parse(name) as string))
    .map(([name, value]) => `${name}:${value}`);
  const text = `{${kept.join(',')}}`;
  return kept.length === 0 || text.length > MAX_MEMBERS_LENGTH ? null : text;
}

/** Name and raw value of each member at the top. */
function membersOf(document: string): [string, string][] {
  const members: [string, string][] = [];
  let depth = 0;
  let name = '';
  let valueStart = 0;
  for (const { 0: token, index } of document.matchAll(TOKEN)) {
    if (depth === 1 && (token === ',' || token === '}') && valueStart > 0) {
      members.push([name, document.slice(valueStart, index)]);
      valueStart = 0;
    } else if (depth === 1 && valueStart === 0 && token.startsWith('"')) name = token;
    else if (depth === 1 && valueStart === 0 && token === ':') valueStart = index + 1;
    if (token === '{' || token === '[') depth++;
    else if (token === '}' || token === ']') depth--;
  }
  return members;
}
