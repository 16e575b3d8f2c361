import { pMapIterable } from 'p-map';
import type { JournalStore } from './store.ts';

/** How many reads run at once, each a round trip to a bucket. It is below the 50 connections of an AWS client. */
const READS_AT_ONCE = 32;

interface ReadObject {
  readonly name: string;
  /** The object's body. Null when the object does not exist. */
  readonly body: string | null;
}

/**
 * Reads objects in the order of these names, some at a time. The reader may stop as soon as it has found what it looks
 * for.
 */
export function readTogether(store: JournalStore, names: readonly string[]): AsyncIterable<ReadObject> {
  return pMapIterable(names, async (name) => ({ name, body: await store.read(name) }), {
    concurrency: READS_AT_ONCE,
  });
}
