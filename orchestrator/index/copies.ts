import type { Clock } from '../clock.ts';
import { RunFailed } from '../errors.ts';
import { read } from './cluster-error.ts';
import { describeIndex } from './index-meta.ts';
import { isUnseen } from './look.ts';
import { type SearchCalls, segment } from './search-calls.ts';

/** Which copies of an index answer a question. `primary` where replicas may lag behind a refresh. */
export type AskedCopies = 'primary' | 'any';

/**
 * Which copies tell what an index holds. With segment replication, a replica lags behind the primary even after a
 * refresh. With document replication all copies hold the same, and Elasticsearch does not know `_primary`.
 */
export async function askedCopies(
  cluster: Pick<SearchCalls, 'callOrNull'>,
  index: string,
): Promise<AskedCopies> {
  const settings = (await describeIndex(cluster, index))?.settings ?? {};
  return settings['index.replication.type'] === 'SEGMENT' ? 'primary' : 'any';
}

/** The path of a question that these copies answer. */
export function askedOf(copies: AskedCopies, path: string): string {
  return copies === 'any' ? path : `${path}${path.includes('?') ? '&' : '?'}preference=_primary`;
}

export interface CopiesWaiting {
  readonly timeoutMs: number;
  /** Called once, with what is missing, when not all copies follow at once or nobody may know. */
  readonly onWait?: ((words: string) => void) | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const PAUSE_MS = 500;

/**
 * Waits until every copy of an index holds what its primary holds, because replicas serve readers too. Without segment
 * replication there is nothing to wait for. A user who may not look is told, and does not wait.
 *
 * @throws RunFailed that names the shard and the node that lag, when the time is over
 */
export async function untilCopiesFollow(
  cluster: SearchCalls,
  index: string,
  { timeoutMs, onWait, clock, signal }: CopiesWaiting,
): Promise<void> {
  if ((await askedCopies(cluster, index)) === 'any') return;
  const endMs = clock.monotonicMs() + timeoutMs;
  for (let told = false; ; told = true) {
    const copies = await readCopies(cluster, index, 'search', signal).catch(nullWhereUnseen);
    if (copies === null)
      return onWait?.(
        `this user may not see (indices:monitor/segments) whether the replicas of ${index} hold what their primaries hold: readers may miss documents for a while`,
      );
    const behind = copiesBehind(copies);
    if (behind.length === 0) return;
    const [first] = behind;
    const words = `shard ${first?.shard} of ${index} on node ${first?.node} (${behind.length} such ${behind.length === 1 ? 'copy' : 'copies'})`;
    if (clock.monotonicMs() >= endMs)
      throw new RunFailed(
        `a replica does not hold yet what its primary holds after ${Math.round(timeoutMs / 1000)} s: ${words}. Readers would miss documents, so the alias stays where it is. Look at GET /_cat/segment_replication/${index} and at indices.replication.max_bytes_per_sec, and run the same command again.`,
      );
    if (!told) onWait?.(`waiting until every replica holds what its primary holds: ${words}`);
    await clock.sleep(PAUSE_MS, signal);
  }
}

/** One copy of a shard, with some of its segments by name. Equal segments of two copies are the same files. */
interface Copy {
  readonly shard: string;
  readonly node: string;
  readonly primary: boolean;
  readonly segments: ReadonlyMap<string, string>;
}

/** @param which the segments that a search sees, or those that are committed to disk */
async function readCopies(
  cluster: SearchCalls,
  index: string,
  which: 'search' | 'committed',
  signal: AbortSignal,
): Promise<Copy[]> {
  const answer = await cluster.call('GET', `/${segment(index)}/_segments`, null, { signal });
  const shards = entriesOf(read(read(read(answer, 'indices'), index), 'shards'));
  return shards.flatMap(([shard, copies]) =>
    entriesOf(copies).map(([, copy]) => ({
      shard,
      node: String(read(read(copy, 'routing'), 'node')),
      primary: read(read(copy, 'routing'), 'primary') === true,
      segments: segmentsOf(copy, which),
    })),
  );
}

function segmentsOf(copy: unknown, which: 'search' | 'committed'): Map<string, string> {
  return new Map(
    entriesOf(read(copy, 'segments'))
      .filter(([, one]) => read(one, which) === true)
      .map(([name, one]) => [name, `${String(read(one, 'num_docs'))}/${String(read(one, 'deleted_docs'))}`]),
  );
}

/** The copies whose searches do not see what those of their primary see. */
function copiesBehind(copies: readonly Copy[]): Copy[] {
  const primaries = new Map(copies.filter(({ primary }) => primary).map((copy) => [copy.shard, copy]));
  return copies.filter((copy) => {
    const expected = primaries.get(copy.shard)?.segments;
    if (expected === undefined || expected.size !== copy.segments.size) return true;
    return [...expected].some(([name, seen]) => copy.segments.get(name) !== seen);
  });
}

/** The most segments of one copy on disk, without end where nobody may look. A search sees a merge only after a refresh. */
export async function mostSegments(
  cluster: SearchCalls,
  index: string,
  signal: AbortSignal,
): Promise<number> {
  const copies = await readCopies(cluster, index, 'committed', signal).catch(nullWhereUnseen);
  if (copies === null) return Number.POSITIVE_INFINITY;
  return Math.max(0, ...copies.map(({ segments }) => segments.size));
}

/** An index that is gone is no look that is forbidden. */
function nullWhereUnseen(error: unknown): null {
  if (isUnseen(error) && error.status !== 404) return null;
  throw error;
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}
