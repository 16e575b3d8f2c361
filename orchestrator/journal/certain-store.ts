import type { Clock } from '../clock.ts';
import type { JournalStore } from './store.ts';

/** Waits before a create whose outcome is not known is tried again; together below the 3 s in which a command must leave. */
const RETRY_AFTER_MS = [100, 400] as const;

/**
 * A store whose `create` says for certain who won. An answer may get lost while the write took effect, and then the
 * winner's own retry is told `exists` (409 or 412 of an object store); or nobody knows, because the call timed out. Each
 * body carries a nonce, so whoever finds exactly its own body under the name has won.
 */
export function certainStore(store: JournalStore, clock: Clock): JournalStore {
  return {
    location: store.location,
    create: (name, body) => createForCertain(store, clock, name, body),
    read: (name) => store.read(name),
    replace: (name, body) => store.replace(name, body),
    list: (folder) => store.list(folder),
  };
}

async function createForCertain(
  store: JournalStore,
  clock: Clock,
  name: string,
  body: string,
): Promise<'created' | 'exists'> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      if ((await store.create(name, body)) === 'created') return 'created';
      return (await store.read(name)) === body ? 'created' : 'exists';
    } catch (error) {
      const waitMs = RETRY_AFTER_MS[attempt];
      if (waitMs === undefined) throw error;
      // Not ended by a signal: what was begun is to be known, and it takes half a second at most.
      await clock.sleep(waitMs, NEVER);
    }
  }
}

const NEVER = new AbortController().signal;
