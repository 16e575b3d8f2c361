import type { Clock } from '../clock.ts';
import type { JournalStore } from './store.ts';

/** Waits before a call that failed is made again; of a create and its read together below the 3 s in which a command must leave. */
const RETRY_AFTER_MS = [100, 400] as const;

/**
 * A store that bears a call that fails now and then, and whose `create` says for certain who won. An answer may get lost
 * while the write took effect, and then the winner's own retry is told `exists` (409 or 412 of an object store); or
 * nobody knows, because the call timed out. Each body carries a nonce, so whoever finds exactly its own body under the
 * name has won. `replace` is not repeated: the next heartbeat comes anyway.
 */
export function certainStore(store: JournalStore, clock: Clock): JournalStore {
  const again = <T>(work: () => Promise<T>): Promise<T> => repeated(work, clock);
  return {
    location: store.location,
    create: async (name, body) => {
      if ((await again(() => store.create(name, body))) === 'created') return 'created';
      return (await again(() => store.read(name))) === body ? 'created' : 'exists';
    },
    read: (name) => again(() => store.read(name)),
    replace: (name, body) => store.replace(name, body),
    remove: (name) => again(() => store.remove(name)),
    list: (folder, part) => again(() => store.list(folder, part)),
  };
}

async function repeated<T>(work: () => Promise<T>, clock: Clock): Promise<T> {
  for (const waitMs of RETRY_AFTER_MS) {
    try {
      return await work();
    } catch {
      // Not ended by a signal: what was begun is to be known, and it takes half a second at most.
      await clock.sleep(waitMs, NEVER);
    }
  }
  return work();
}

const NEVER = new AbortController().signal;
