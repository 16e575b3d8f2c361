import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  visit,
} from 'yaml';
import type { z } from 'zod';
import { type Fault, Faults, formatPath, type Position } from './faults.ts';

export type Path = readonly (string | number)[];

/** A place in a setting: so many characters (UTF-16) into its text, where they can be followed, or at its name. */
type Place = number | 'name';
export type PositionOf = (path: Path, place?: Place) => Position;
export type FaultAt = (path: Path, message: string, place?: Place) => Fault;

/** A file of settings that a person writes: its value, and where each part of it is. */
export interface YamlFile {
  readonly value: unknown;
  readonly positionOf: PositionOf;
  /**
   * Makes a fault in its place. Its path is as written: the SQL of `name: city.name` is at `name`, not at `name.sql`.
   */
  readonly faultAt: FaultAt;
}

/** A schema's message for a missing setting whose name says what to write. Any other message follows it. */
export const MISSING = 'This is missing.';

/** How many aliases may be resolved in one file. A file with more counts as a bomb. */
const MAX_ALIASES = 100;
/** How many syntax errors are named. One slip can make an error of each line after it. */
const MAX_SYNTAX_FAULTS = 10;

/** Reads one document of YAML 1.2. Throws `Faults` that name every syntax error. */
export function readYaml(text: string, file: string): YamlFile {
  const lines = new LineCounter();
  const documents = attempt(file, () =>
    parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, stringKeys: true }),
  );
  const [document, second] = Array.isArray(documents) ? documents : [];
  if (document === undefined) throw new Faults([fault(file, 'The file is empty.')]);

  const at: At = (offset) => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  const faults = [...syntaxFaults(document, second, at), ...treacherousScalars(document, at)];
  if (faults.length > 0) throw new Faults(faults);
  const positionOf: PositionOf = (path, place = 0) =>
    positionIn(find(document.contents, path), place, text, at) ?? at(0);
  const writtenPath = (path: Path): Path => {
    const { node, depth } = find(document.contents, path);
    return isScalar(node) ? path.slice(0, depth) : path;
  };
  return {
    value: attempt(file, (): unknown => document.toJS({ maxAliasCount: MAX_ALIASES })),
    positionOf,
    faultAt: (path, message, place) => ({
      ...positionOf(path, place),
      path: formatPath(writtenPath(path)),
      message,
    }),
  };
}

/** Checks a file's value against a schema. Throws `Faults` with every fault at its place. */
export function checkYaml<S extends z.ZodType>(schema: S, yaml: YamlFile): z.output<S> {
  const result = schema.safeParse(yaml.value, { reportInput: true });
  if (result.success) return result.data;
  const faults = result.error.issues.flatMap((issue) => issueFaults(issue, yaml));
  throw new Faults(faults.sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0)));
}

/** An unknown setting has one line per key in its issue's message (see `section` in section.ts). */
function issueFaults(issue: z.core.$ZodIssue, yaml: YamlFile): Fault[] {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  if (issue.code === 'unrecognized_keys') {
    const messages = issue.message.split('\n');
    return issue.keys.map((key, i) =>
      yaml.faultAt([...path, key], messages[i] ?? 'This is not a setting.', 'name'),
    );
  }
  const absent = issue.code === 'invalid_type' && issue.input === undefined;
  return [
    yaml.faultAt(path, absent && issue.message !== MISSING ? `${MISSING} ${issue.message}` : issue.message),
  ];
}

type At = (offset: number) => Position;

function syntaxFaults(document: Document.Parsed, second: Document.Parsed | undefined, at: At): Fault[] {
  const faults: Fault[] = [...document.errors, ...document.warnings]
    .slice(0, MAX_SYNTAX_FAULTS)
    .map((error) => ({
      ...at(error.pos[0]),
      path: '',
      message: `This is not YAML 1.2 as expected here: ${error.message}.`,
    }));
  if (document.directives.yaml.explicit === true && document.directives.yaml.version !== '1.2') {
    faults.push({ ...at(0), path: '', message: 'Remove the %YAML directive: settings are YAML 1.2.' });
  }
  if (second !== undefined) {
    const place = at(second.contents?.range?.[0] ?? second.range[0]);
    faults.push({
      ...place,
      path: '',
      message: 'A second document begins here. Put each into a file of its own.',
    });
  }
  return faults;
}

/** Finds values that would become something else: numbers that lose digits, and the name `__proto__`. */
function treacherousScalars(document: Document, at: At): Fault[] {
  const faults: Fault[] = [];
  visit(document, {
    Scalar(key, node) {
      const { value } = node;
      const place = { ...at(node.range?.[0] ?? 0), path: '' };
      if (key === 'key' && value === '__proto__')
        faults.push({ ...place, message: '__proto__ cannot be a name here.' });
      if (typeof value !== 'number') return;
      if (!Number.isFinite(value))
        faults.push({ ...place, message: 'Infinity and NaN cannot be settings: write a number.' });
      else if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
        faults.push({
          ...place,
          message: 'This number is too large to be kept exactly. Put it into quotes.',
        });
      }
    },
  });
  return faults;
}

interface Found {
  readonly node: unknown;
  readonly key: unknown;
  /** How many parts of the path are in the file. */
  readonly depth: number;
}

/** What a path leads to, or its nearest part that is in the file. */
function find(root: Node | null, path: Path): Found {
  let found: Found = { node: root, key: null, depth: 0 };
  for (const part of path) {
    const next = child(found.node, part);
    if (next === null) break;
    found = { ...next, depth: found.depth + 1 };
  }
  return found;
}

/** The position of a setting. Texts and numbers are at their value. Maps, lists and empty values are at their name. */
function positionIn({ node, key }: Found, place: Place, text: string, at: At): Position | null {
  const value = isScalar(node) && node.source !== '' && place !== 'name' ? node : null;
  const start = rangeStart(value ?? key ?? node);
  if (start === null) return null;
  return at(value === null || typeof place !== 'number' ? start : insideScalar(value, start, place, text));
}

function child(node: unknown, part: string | number): { node: unknown; key: unknown } | null {
  if (isSeq(node) && typeof part === 'number' && part < node.items.length)
    return { node: node.items[part], key: null };
  if (!isMap(node)) return null;
  const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
  return pair === undefined ? null : { node: pair.value, key: pair.key };
}

function rangeStart(node: unknown): number | null {
  if (isScalar(node) || isMap(node) || isSeq(node)) return node.range?.[0] ?? null;
  return null;
}

/** Follows an offset into a text that is in the file as it is: plain, quoted without escapes, or a `|` block. */
function insideScalar(
  node: { value: unknown; type?: unknown },
  start: number,
  offset: number,
  text: string,
): number {
  const value = typeof node.value === 'string' ? node.value : '';
  if (offset === 0) return start;
  for (const opening of [0, 1]) {
    if (text.startsWith(value, start + opening)) return start + opening + offset;
  }
  if (node.type !== 'BLOCK_LITERAL') return start;
  const before = value.slice(0, offset).split('\n');
  let lineStart = text.indexOf('\n', start) + 1;
  const indent = /^(?:[ \t]*\r?\n)*( *)/.exec(text.slice(lineStart))?.[1]?.length ?? 0;
  for (let i = 1; i < before.length; i++) lineStart = text.indexOf('\n', lineStart) + 1;
  return lineStart + indent + (before.at(-1)?.length ?? 0);
}

/** Parses a file. The parser throws on what it cannot take at all: an alias bomb, endless nesting. */
function attempt<T>(file: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof Faults) throw error;
    const reason =
      error instanceof RangeError
        ? 'it is nested too deeply'
        : error instanceof Error
          ? error.message
          : String(error);
    throw new Faults([fault(file, `This YAML cannot be read: ${reason}.`)], { cause: error });
  }
}

function fault(file: string, message: string): Fault {
  return { file, line: 1, column: 1, path: '', message };
}
