import type { z } from 'zod';
import { messageOf, RunFailed } from '../errors.ts';
import { jsonIn } from '../json-text.ts';

/** What a person can do about it, by the file system's code. */
const ADVICE: Readonly<Record<string, string>> = {
  ENOSPC: 'free space there',
  EDQUOT: 'free space there, or raise this user’s quota',
  EROFS: 'mount it writable, or correct journal.url',
  EACCES: 'let this user read and write there, or correct journal.url',
  EPERM: 'let this user read and write there, or correct journal.url',
  EIO: 'check its disk',
  ENOTDIR: 'there is a file in the place of a folder: correct journal.url',
  EEXIST: 'there is a file in the place of a folder: correct journal.url',
  ENOENT: 'the folder existed and is gone: put it back as it was',
};

/**
 * Makes the error for a journal that cannot be read or written, with its path, the cause and what to do. A run does
 * nothing that it could not record.
 */
export function storeFailure(doing: 'read' | 'written', path: string, cause: unknown): RunFailed {
  const advice = ADVICE[codeOf(cause) ?? ''] ?? 'check this folder and its disk';
  return new RunFailed(
    `the journal cannot be ${doing}: ${path}: ${messageOf(cause)} (${advice}, then give the same command again)`,
    { cause },
  );
}

/**
 * Makes the error for an object of the journal that does not hold what it should. Nobody guesses what it meant, and
 * nobody overwrites it.
 */
export function unreadableObject(location: string, name: string, problem: string): RunFailed {
  return new RunFailed(
    `the journal in ${location} cannot be read: ${name} ${problem}. Nothing was changed. Put the file back as it was, or use the version that wrote it.`,
  );
}

/** An object of the journal, for messages. */
export interface JournalObject {
  readonly location: string;
  readonly name: string;
  /** What it should be, for example `claim`. */
  readonly kind: string;
  /** The highest `schema` of such objects that this version knows. */
  readonly newest: number;
}

/**
 * Parses an object of the journal.
 *
 * @throws RunFailed when it is something else, half a file, or of a newer version
 */
export function parseObject<T>(schema: z.ZodType<T>, object: JournalObject, body: string): T {
  const { location, name, kind, newest } = object;
  const content = jsonIn(body);
  const version = versionOf(content);
  if (version > newest)
    throw new RunFailed(
      `the journal in ${location} cannot be read: a newer version wrote the ${kind} ${name} (schema ${version}; this version reads up to ${newest}). Nothing was changed. Use the version that wrote it.`,
    );
  const parsed = schema.safeParse(content, { reportInput: true });
  if (parsed.success) return parsed.data;
  throw unreadableObject(
    location,
    name,
    `is not a ${kind} that this version can read (${body.length} characters${issueWords(parsed.error)})`,
  );
}

/** Says where it goes wrong first, and how. */
function issueWords({ issues: [first] }: z.ZodError): string {
  if (first === undefined) return '';
  const where = first.path.length === 0 ? '' : `, ${first.path.join('.')}`;
  return `${where}: ${unknownWords(first) ?? first.message}`;
}

/** Words for a name that is none of several known ones. Null for another fault. */
function unknownWords(issue: z.core.$ZodIssue): string | null {
  if (issue.code !== 'invalid_union' || issue.discriminator === undefined) return null;
  const { input, discriminator } = issue;
  const value: unknown =
    typeof input === 'object' && input !== null ? Reflect.get(input, discriminator) : undefined;
  return value === undefined ? null : `this version does not know ${JSON.stringify(value).slice(0, 80)}`;
}

/** The schema's number. 0 when there is none. */
function versionOf(content: unknown): number {
  const isObject = typeof content === 'object' && content !== null && 'schema' in content;
  return isObject && typeof content.schema === 'number' ? content.schema : 0;
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
