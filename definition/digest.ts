import { createHash } from 'node:crypto';
import type { DescribedDefinition, IndexDefinition } from './definition.ts';

/**
 * The digest of what a definition writes: 32 hexadecimal characters of SHA-256. The limits of dead letters and of
 * shrinking, replicas, refresh interval, forcemerge, health, retention, and which fields are compared are not part of it, because they change nothing that is written.
 * They may change during a run, and the run can still be carried on.
 */
export function digestDefinition(definition: IndexDefinition): string {
  const { name, alias, source, document, unrepresentable, maxDocumentBytes, deadLetters, index, pipeline } =
    definition;
  return digestOf({
    name,
    alias,
    source,
    document: document.map(({ name, sql, mapping }) => ({ name, sql, mapping })),
    unrepresentable,
    maxDocumentBytes,
    keepFields: deadLetters.keepFields,
    settings: index.settings,
    pipeline,
  });
}

/** The digest of the columns' types, which COPY does not carry: 32 hexadecimal characters of SHA-256. */
export function digestTypes(described: DescribedDefinition): string {
  return digestOf({ fields: described.fields, changedAtOid: described.changedAtOid });
}

/** Both digests, for every task: `<digest of the definition>.<digest of its columns' types>`. */
export function describedDigest(described: DescribedDefinition): string {
  return `${digestDefinition(described.definition)}.${digestTypes(described)}`;
}

/** The digest of a value's canonical JSON (keys sorted, no blanks): 32 hexadecimal characters of SHA-256. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 32);
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
