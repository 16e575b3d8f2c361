import { RunFailed } from '../errors.ts';
import { read } from './cluster-error.ts';
import { describeIndex } from './index-meta.ts';
import { indexHealth } from './index-health.ts';
import { isUnseen, unseenWords } from './look.ts';
import { type SearchCalls, segment } from './search-calls.ts';

/** How long shards that the cluster will place by itself may take, after its own wait at the creation. */
const PLACING_MS = 60_000;
/** An index may have more shards than anyone wants to ask about. */
const MOST_ASKED_SHARDS = 50;
const MOST_REASONS = 4;

/** The path that creates an index. The cluster waits less long than by default for the places of its shards. */
export function creationPath(index: string): string {
  return `/${segment(index)}?timeout=10s`;
}

/**
 * Requires that a new index has its primary shards on nodes, because no worker could write to it otherwise. A cluster
 * answers a creation also when they find no place: it only says so.
 *
 * @param answer of the call that created the index; null when an earlier try did
 * @throws RunFailed with the cluster's own explanation
 */
export async function requireAllocated(cluster: SearchCalls, index: string, answer: unknown): Promise<void> {
  if (read(answer, 'shards_acknowledged') === true || (await isPlaced(cluster, index, 0))) return;
  const first = await explain(cluster, index);
  if (first?.isFinal === true) throw unallocated(index, first.words);
  if (await isPlaced(cluster, index, PLACING_MS)) return;
  const last = await explain(cluster, index);
  throw unallocated(index, (last ?? first)?.words ?? 'the cluster gives no reason');
}

async function isPlaced(cluster: SearchCalls, index: string, waitMs: number): Promise<boolean> {
  return (await indexHealth(cluster, [index], { waitMs })).status !== 'red';
}

function unallocated(index: string, words: string): RunFailed {
  return new RunFailed(
    `the shards of the new index ${index} find no place, so nothing can be written to it: ${words}. Mend this in the cluster or in the definition's index.settings, and run the same command again.`,
  );
}

interface Explanation {
  readonly words: string;
  /** Whether only a person can change it. */
  readonly isFinal: boolean;
}

/** What passes by itself: the cluster waits for other recoveries, for answers of nodes, or for a delay to end. */
const PASSING = /^(yes|throttled|awaiting_info|no_attempt|allocation_delayed|worse_balance)$/;

/** Why the first primary without a place has none, in the cluster's words. Null when there is none. */
async function explain(cluster: SearchCalls, index: string): Promise<Explanation | null> {
  const settings = (await describeIndex(cluster, index))?.settings ?? {};
  const shards = Math.min(Number(settings['index.number_of_shards'] ?? 1), MOST_ASKED_SHARDS);
  try {
    for (let shard = 0; shard < shards; shard += 1) {
      const body = { index, shard, primary: true };
      const answer = await cluster.call('POST', '/_cluster/allocation/explain', body);
      if (read(answer, 'current_state') === 'unassigned') return explanationOf(answer);
    }
    return null;
  } catch (error) {
    if (!isUnseen(error)) throw error;
    return { words: unseenWords('the reason', error), isFinal: false };
  }
}

function explanationOf(answer: unknown): Explanation {
  const nodes = read(answer, 'node_allocation_decisions');
  const reasons = (Array.isArray(nodes) ? nodes : []).flatMap((node: unknown) => {
    const deciders = read(node, 'deciders');
    return (Array.isArray(deciders) ? deciders : []).map(
      (decider: unknown) =>
        `${String(read(decider, 'explanation'))} (${String(read(decider, 'decider'))}, node ${String(read(node, 'node_name'))})`,
    );
  });
  const details = read(read(answer, 'unassigned_info'), 'details');
  const shown = [
    textOr(read(answer, 'allocate_explanation'), 'the cluster cannot place them'),
    ...(typeof details === 'string' ? [details] : []),
    ...[...new Set(reasons)].slice(0, MOST_REASONS),
  ];
  return {
    words: shown.join('; '),
    isFinal: !PASSING.test(textOr(read(answer, 'can_allocate'), 'no')),
  };
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}
