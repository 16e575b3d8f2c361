import { describe, expect, it } from 'vitest';
import { ClusterError } from '../../orchestrator/index/cluster-error.ts';
import { askedCopies, askedOf, untilCopiesFollow } from '../../orchestrator/index/copies.ts';
import type { HttpMethod, SearchCalls } from '../../orchestrator/index/search-calls.ts';

/** Stands in for two nodes with segment replication. Its answers have the form of OpenSearch 3.6's `_segments`. */
function standIn(replication: string, replicas: readonly (readonly [docs: number, deleted: number])[]) {
  let looks = 0;
  const copy = (primary: boolean, [docs, deleted]: readonly [number, number]) => ({
    routing: { state: 'STARTED', primary, node: primary ? 'first' : 'second' },
    segments: {
      _0: { num_docs: docs, deleted_docs: deleted, search: true },
      _1: { num_docs: 7, deleted_docs: 0, search: false },
    },
  });
  const answer = (_method: HttpMethod, path: string): unknown => {
    if (!path.includes('/_segments'))
      return { books: { aliases: {}, mappings: {}, settings: { 'index.replication.type': replication } } };
    const replica = replicas[Math.min(looks, replicas.length - 1)] ?? [0, 0];
    looks += 1;
    return { indices: { books: { shards: { 0: [copy(true, [100, 2]), copy(false, replica)] } } } };
  };
  const calls: SearchCalls = {
    where: 'stand-in',
    call: async (method, path) => answer(method, path),
    callOrNull: async (method, path) => answer(method, path),
    callText: () => Promise.reject(new Error('nobody asks for text')),
    search: () => Promise.reject(new Error('nobody searches')),
  };
  return { calls, looks: () => looks };
}

function waiting(told: string[] = []) {
  let nowMs = 0;
  return {
    timeoutMs: 10_000,
    onWait: (words: string) => void told.push(words),
    clock: {
      now: () => new Date(nowMs),
      monotonicMs: () => nowMs,
      sleep: async (ms: number) => void (nowMs += ms),
    },
    signal: new AbortController().signal,
  };
}

describe('an index with segment replication, by a stand-in for two nodes,', () => {
  it('is asked on its primaries, and one with document replication on any copy', async () => {
    expect(await askedCopies(standIn('SEGMENT', []).calls, 'books')).toBe('primary');
    expect(await askedCopies(standIn('DOCUMENT', []).calls, 'books')).toBe('any');
    expect(askedOf('primary', '/books/_count')).toBe('/books/_count?preference=_primary');
    expect(askedOf('primary', '/books/_search?a=b')).toBe('/books/_search?a=b&preference=_primary');
    expect(askedOf('any', '/books/_count')).toBe('/books/_count');
  });

  it('is waited for until its replica searches what its primary searches, deleted documents too', async () => {
    const told: string[] = [];
    const { calls, looks } = standIn('SEGMENT', [
      [60, 0],
      [100, 0],
      [100, 2],
    ]);
    await untilCopiesFollow(calls, 'books', waiting(told));
    expect(looks()).toBe(3);
    expect(told).toEqual([expect.stringContaining('shard 0 of books on node second')]);
  });

  it('is refused to readers when its replica stays behind, and the failure names shard, node and setting', async () => {
    const { calls } = standIn('SEGMENT', [[60, 0]]);
    await expect(untilCopiesFollow(calls, 'books', waiting())).rejects.toThrow(
      /after 10 s: shard 0 of books on node second.*alias stays.*max_bytes_per_sec/,
    );
  });

  it('is not waited for by a user who may not see its segments, who is told', async () => {
    const told: string[] = [];
    const { calls } = standIn('SEGMENT', []);
    const refused: SearchCalls = {
      ...calls,
      call: () => Promise.reject(new ClusterError(403, 'security_exception', 'no permissions')),
    };
    await untilCopiesFollow(refused, 'books', waiting(told));
    expect(told).toEqual([expect.stringContaining('indices:monitor/segments')]);
  });

  it('is not waited for when documents are replicated one by one', async () => {
    const { calls, looks } = standIn('DOCUMENT', [[60, 0]]);
    await untilCopiesFollow(calls, 'books', waiting());
    expect(looks()).toBe(0);
  });
});
