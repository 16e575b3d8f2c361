/**
 * The words of a refusal, whoever gives it: a search cluster, a gateway before it, or a cloud. All of them put their
 * words into another place of another form. Pure.
 */

/** The most characters of an answer's words. They stand in one line. */
const MOST_CHARACTERS = 400;

/** Where JSON answers have their words, in the order of how much they say. */
const WORD_MEMBERS = [
  'reason',
  'message',
  'Message',
  'errorMessage',
  'error_description',
  'detail',
  'description',
  'title',
  'msg',
  'fault',
  'faultstring',
  'error',
  'errors',
  'failures',
  'cause',
];

/**
 * What an answer says, in a line without secrets. Null when it says nothing.
 *
 * @param body the parsed JSON of an answer, or its text
 */
export function answerWords(body: unknown): string | null {
  const words = typeof body === 'string' ? wordsOfText(body) : wordsOfJson(body, 0);
  return words === null ? null : oneLine(words);
}

/** A text in one line of bounded length, without what looks like a secret. */
export function oneLine(text: string): string {
  const line = withoutSecrets(text).replaceAll(/\s+/g, ' ').trim();
  return line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS - 1)}…` : line;
}

function wordsOfText(text: string): string | null {
  const parsed = jsonIn(text);
  if (parsed !== null) return wordsOfJson(parsed, 0);
  if (text.trim() === '') return null;
  if (!/^\s*</.test(text)) return text;
  return wordsOfMarkup(text);
}

function jsonIn(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** How deep the words of an answer may lie. */
const MOST_DEPTH = 4;

function wordsOfJson(value: unknown, depth: number): string | null {
  if (typeof value === 'string') return value.trim() === '' ? null : value;
  if (depth > MOST_DEPTH || typeof value !== 'object' || value === null) return null;
  if (Array.isArray(value)) return firstWords(value, depth);
  const root = wordsOfJson(Reflect.get(value, 'root_cause'), depth + 1);
  if (root !== null) return root;
  return firstWords(
    WORD_MEMBERS.map((name): unknown => Reflect.get(value, name)),
    depth,
  );
}

function firstWords(values: readonly unknown[], depth: number): string | null {
  for (const value of values) {
    const words = wordsOfJson(value, depth + 1);
    if (words !== null) return words;
  }
  return null;
}

/** The message of XML, the title of a page with its heading, or the text between the tags. */
function wordsOfMarkup(text: string): string | null {
  const message = inside(text, 'message');
  if (message !== null) return message;
  const title = inside(text, 'title');
  const heading = inside(text, 'h1');
  if (title !== null)
    return `a page with the title “${title}”${heading === null || heading === title ? '' : `: ${heading}`}`;
  const bare = withoutTags(text.replaceAll(/<(script|style)\b[\s\S]*?<\/\1\s*>/gi, ' '));
  return bare === '' ? null : `a page: ${bare}`;
}

function inside(text: string, tag: string): string | null {
  const found = new RegExp(`<${tag}\\b[^>]*>([\\s\\S]*?)</${tag}\\s*>`, 'i').exec(text)?.[1];
  const words = found === undefined ? '' : withoutTags(found);
  return words === '' ? null : words;
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#39': "'",
  nbsp: ' ',
};

function withoutTags(text: string): string {
  return text
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/&(amp|lt|gt|quot|#39|nbsp);/g, (whole, name: string) => ENTITIES[name] ?? whole)
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/** What gateways are known to say back of what was sent to them: credentials, signatures, tokens and cookies. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/\b(Basic|Bearer|ApiKey|Negotiate|Digest)\s+["']?[\w+/=.~:-]{4,}/gi, '$1 ***'],
  [/\beyJ[\w-]+\.[\w-]+(\.[\w-]*)?/g, '***'],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{12,}/g, '***'],
  [
    /\b((?:x-amz-)?(?:security-)?(?:password|passwd|pwd|secret|token|api[-_]?key|access[-_]?key|signature|cookie|credential)s?["']?\s*[=:]\s*["']?)(?!\*\*\*)[^\s"',;&<>]{4,}/gi,
    '$1***',
  ],
];

function withoutSecrets(text: string): string {
  return SECRETS.reduce((words, [pattern, instead]) => words.replaceAll(pattern, instead), text);
}
