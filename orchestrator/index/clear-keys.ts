import { type Key, type KeyKind } from '../../definition/key/key-kind.ts';
import { RunFailed } from '../errors.ts';
import { read } from './cluster-error.ts';
import { type SearchCalls, segment } from './search-calls.ts';

export interface KeysToClear {
  readonly cluster: SearchCalls;
  readonly index: string;
  readonly kind: KeyKind;
  readonly signal: AbortSignal;
}

/** Deletes the documents of keys from an index. A key without a document is left as it is. */
export async function clearKeys(
  { cluster, index, kind, signal }: KeysToClear,
  keys: readonly Key[],
): Promise<void> {
  if (keys.length === 0) return;
  const lines = keys.map((key) => `${JSON.stringify({ delete: { _id: kind.documentId(key) } })}\n`).join('');
  const answer = await cluster.call('POST', `/${segment(index)}/_bulk?require_alias=false`, lines, {
    signal,
  });
  const items = read(answer, 'items');
  const outcomes = Array.isArray(items) ? items.map((item) => read(item, 'delete')) : [];
  const refused = outcomes.filter((outcome) => ![200, 404].includes(Number(read(outcome, 'status'))));
  if (outcomes.length === keys.length && refused.length === 0) return;
  throw new RunFailed(
    `documents of rows that have changed could not be deleted from ${index}: ${JSON.stringify(refused[0] ?? answer)}. Look at the cluster, and run the same command again.`,
  );
}
