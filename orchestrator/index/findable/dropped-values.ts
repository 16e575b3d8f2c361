import type { DescribedDefinition } from '../../../definition/definition.ts';
import { RunFailed } from '../../errors.ts';
import { askedCopies } from '../copies.ts';
import { countDocuments } from '../count-documents.ts';
import { askedSettings, targetProperties } from '../mapping.ts';
import type { TargetNames } from '../names.ts';
import type { SearchCalls } from '../search-calls.ts';
import type { Field } from './indexing.ts';

/** A count may look at every document. */
const COUNT_TIMEOUT_MS = 300_000;
const MOST_NAMED = 5;

export interface DroppedInput {
  readonly cluster: SearchCalls;
  readonly described: DescribedDefinition;
  readonly names: TargetNames;
  readonly signal: AbortSignal;
}

/**
 * Requires that no document of the index lost a value that its fields should have indexed. A cluster writes the fields
 * whose values it dropped to `_ignored`. Fields whose mapping asks for that are left out. Source: Elasticsearch's
 * reference, "`_ignored` field"; OpenSearch has it, too.
 */
export async function requireNothingDropped({
  cluster,
  described,
  names,
  signal,
}: DroppedInput): Promise<void> {
  const asked = Object.keys(askedSettings(described.definition));
  if (asked.some((name) => /^index\.mapping\.ignore_(malformed|above)$/.test(name))) return;
  const fields = keepingPaths(targetProperties(described), '');
  const copies = await askedCopies(cluster, names.index);
  const count = (paths: readonly string[]): Promise<number> => {
    const query = { terms: { _ignored: paths } };
    const options = { signal, timeoutMs: COUNT_TIMEOUT_MS };
    return countDocuments(cluster, { index: names.index, copies, query }, options);
  };
  const documents = await count(fields);
  if (documents === 0) return;
  const named: string[] = [];
  for (const field of fields) {
    const lost = await count([field]);
    if (lost > 0) named.push(`${field} (${lost})`);
    if (named.length === MOST_NAMED) break;
  }
  throw new RunFailed(
    `the cluster has dropped values of ${documents} documents of ${names.index}, though _source shows them: ${named.join(', ')}. No search finds them there. Correct the values or the mapping in the definition. If values may be dropped, write ignore_malformed or ignore_above into the field's mapping.`,
  );
}

/** The paths of all fields, and of their sub-fields, whose mapping does not allow to drop a value. */
function keepingPaths(properties: Readonly<Record<string, Field>>, prefix: string): string[] {
  return Object.entries(properties).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const drops = 'ignore_malformed' in field || 'ignore_above' in field;
    return [
      ...(drops || 'properties' in field ? [] : [path]),
      ...keepingPaths(partsOf(field, 'fields'), `${path}.`),
      ...keepingPaths(partsOf(field, 'properties'), `${path}.`),
    ];
  });
}

function partsOf(field: Field, name: string): Readonly<Record<string, Field>> {
  const parts = field[name];
  return typeof parts === 'object' && parts !== null ? (parts as Readonly<Record<string, Field>>) : {};
}
