import { ClusterError, read } from './cluster-error.ts';

/**
 * Requires an answer of all shards. An answer that lacks a shard, or that a time limit cut short, says nothing about an
 * index. (A shard that no node holds does not count as failed: there are only fewer successful ones.) Throws a
 * ClusterError.
 */
export function requireWhole(answer: unknown, doing: string): void {
  const shards = read(answer, '_shards');
  const [failed, successful, total] = ['failed', 'successful', 'total'].map((name) => read(shards, name));
  if (failed === 0 && successful === total && read(answer, 'timed_out') !== true) return;
  throw incomplete(
    doing,
    `${String(successful)} of ${String(total)} shards answered, ${String(failed)} failed`,
  );
}

/** Like `requireWhole`, for an answer that says for each document what went wrong. */
export function requireEach(docs: unknown, doing: string): readonly unknown[] {
  if (!Array.isArray(docs)) throw incomplete(doing, 'there are no documents in the answer');
  const failed = docs.filter((doc) => read(doc, 'error') !== undefined);
  if (failed.length > 0) throw incomplete(doing, JSON.stringify(read(failed[0], 'error')));
  return docs;
}

function incomplete(doing: string, what: string): ClusterError {
  return new ClusterError(
    200,
    'incomplete_answer',
    `${doing} is incomplete: ${what}. Look at the cluster's health and run the same command again.`,
  );
}
