import type { DescribedDefinition } from '../../definition/definition.ts';
import type { Key } from '../../definition/key/key-kind.ts';
import type { KeyRange } from '../../definition/key/key-range.ts';
import { keyKindOf } from '../../definition/key/kinds.ts';
import type { Clock } from '../clock.ts';
import { changedSinceOf, type Cutoff, doubtfulVersionFrom } from '../reconcile/cutoff.ts';
import type { ChangedRow, ChangesSource } from './changes-source.ts';
import { read } from './cluster-error.ts';
import { type AskedCopies, askedCopies, askedOf } from './copies.ts';
import { parseJson } from './exact-json.ts';
import type { TargetNames } from './names.ts';
import { type SearchCalls, segment } from './search-calls.ts';
import { requireEach } from './whole-answer.ts';

export interface StaleQuestion {
  readonly cluster: Pick<SearchCalls, 'callText' | 'callOrNull'>;
  readonly source: Pick<ChangesSource, 'changedRows'>;
  readonly described: DescribedDefinition;
  readonly names: TargetNames;
  /** The cutoff of the last reading. */
  readonly cutoff: Cutoff;
  readonly clock: Pick<Clock, 'now'>;
  readonly signal: AbortSignal;
}

/** A row's version may be this much ahead of the clock here, and is still one of now. */
const CLOCK_SKEW_MS = 60_000;

/**
 * The keys of a range whose rows have changed since they were read, in pages. It looks at every row that changed since
 * the cutoff, and at the version of its document. So a row that was read after its change is not among them.
 */
export async function* staleKeys(question: StaleQuestion, range: KeyRange): AsyncGenerator<readonly Key[]> {
  const { cluster, source, names, cutoff, signal } = question;
  const copies = await askedCopies(cluster, names.index);
  for await (const rows of source.changedRows(range, changedSinceOf(cutoff))) {
    signal.throwIfAborted();
    const keys = rows.map(({ key }) => key);
    const documents = await versionsOf({ ...question, copies }, names.index, keys);
    const letters = await versionsOf({ ...question, copies }, names.deadLetterIndex, keys);
    const stale = rows.filter((row) => isStale(row, documents.get(row.key), letters.has(row.key), question));
    if (stale.length > 0) yield stale.map(({ key }) => key);
  }
}

/** A dead letter has no version, so nobody knows which state of the row it is of. */
function isStale(
  { version, kept }: ChangedRow,
  found: bigint | undefined,
  isLetter: boolean,
  { cutoff, clock }: StaleQuestion,
): boolean {
  if (!kept) return found !== undefined || isLetter;
  if (isLetter || found !== version) return true;
  const nowMicros = BigInt(clock.now().getTime() + CLOCK_SKEW_MS) * 1_000n;
  return version % 1_000_000n === 0n && version >= doubtfulVersionFrom(cutoff) && version <= nowMicros;
}

async function versionsOf(
  { cluster, described, copies, signal }: StaleQuestion & { readonly copies: AskedCopies },
  index: string,
  keys: readonly Key[],
): Promise<Map<Key, bigint>> {
  const kind = keyKindOf(described.definition);
  const byId = new Map(keys.map((key) => [kind.documentId(key), key]));
  const path = askedOf(copies, `/${segment(index)}/_mget?_source=false`);
  const answer = parseJson(await cluster.callText('POST', path, { ids: [...byId.keys()] }, { signal }));
  const docs = requireEach(read(answer, 'docs'), `reading versions of ${index}`);
  return new Map(
    docs.flatMap((doc): [Key, bigint][] => {
      const key = byId.get(String(read(doc, '_id')));
      return key === undefined || read(doc, 'found') !== true
        ? []
        : [[key, BigInt(String(read(doc, '_version')))]];
    }),
  );
}
