import { pMapIterable } from 'p-map';
import type { JournalStore } from './store.ts';

/** Reads under way at the same time: each is a round trip to a bucket. Below the 50 connections of an AWS client. */
const READS_AT_ONCE = 32;

interface ReadObject {
  readonly name: string;
  /** Null: it is not there. */
  readonly body: string | null;
}

/** Objects in the order of these names, read some at a time; who has found what it looks for breaks off. */
export function readTogether(store: JournalStore, names: readonly string[]): AsyncIterable<ReadObject> {
  return pMapIterable(names, async (name) => ({ name, body: await store.read(name) }), {
    concurrency: READS_AT_ONCE,
  });
}
