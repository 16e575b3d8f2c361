import { createHash } from 'node:crypto';
import { Lexeme, lexemesToText, parseLexemes, sameJson } from '../../../orchestrator/index/exact-json.ts';
import { startCollectingSink } from '../sinks/collecting.ts';
import type { Arm, Work } from './arm.ts';

/** What arms wrote: the JSON of each document by its `_id`. */
export type Documents = ReadonlyMap<string, string>;

/** Lets an arm write the sample to a sink that keeps everything. */
export async function documentsOf(arm: Arm, work: Omit<Work, 'sinkUrl'>): Promise<Documents> {
  const sink = await startCollectingSink();
  try {
    const started = await arm.start({ ...work, sinkUrl: sink.url });
    try {
      await started.run();
    } finally {
      await started.stop();
    }
    return sink.documents;
  } finally {
    await sink.stop();
  }
}

/** The same for the same documents, whatever the order of documents and fields and however a number is written. */
export function documentsHash(documents: Documents): string {
  const hash = createHash('sha256');
  for (const id of [...documents.keys()].sort())
    hash.update(`${id} ${JSON.stringify(canonical(JSON.parse(documents.get(id) ?? '')))}\n`);
  return hash.digest('hex');
}

/** The first difference of two arms' documents, as a sentence; null if there is none. */
export function firstDifference(expected: Documents, actual: Documents): string | null {
  for (const [id, text] of expected) {
    const other = actual.get(id);
    if (other === undefined) return `the document "${id}" is missing`;
    const difference = differenceOf(parseLexemes(text), parseLexemes(other));
    if (difference !== null) return `in the document "${id}" ${difference}`;
  }
  const surplus = [...actual.keys()].find((id) => !expected.has(id));
  return surplus === undefined ? null : `the document "${surplus}" is too many`;
}

function differenceOf(expected: unknown, actual: unknown): string | null {
  if (sameJson(expected, actual)) return null;
  const [left, right] = [fieldsOf(expected), fieldsOf(actual)];
  const name = [...left.keys(), ...right.keys()].find(
    (field) => !sameJson(left.get(field), right.get(field)),
  );
  if (right.size === 0 || name === undefined)
    return `there is ${lexemesToText(actual)} instead of ${lexemesToText(expected)}`;
  return `the field "${name}" is ${lexemesToText(right.get(name))} instead of ${lexemesToText(left.get(name))}`;
}

/** Empty for what is no object. */
function fieldsOf(document: unknown): Map<string, unknown> {
  const isObject = typeof document === 'object' && document !== null && !(document instanceof Lexeme);
  return new Map(isObject ? Object.entries(document) : []);
}

/** With the fields of each object in order, so that equal values are equal texts. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields.map(([name, part]) => [name, canonical(part)]));
}
