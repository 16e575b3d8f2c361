import type { Clock } from '../clock.ts';
import type { JournalStore } from './store.ts';

/**
 * The pauses before a failed call is made again. A create and its read together stay below the 3 s within which a
 * command must end.
 */
const RETRY_AFTER_MS = [100, 400] as const;

/**
 * Makes a store that copes with calls that fail now and then, and whose `create` says for certain who won.
 *
 * An answer may get lost though the write took effect. Then the winner's own retry gets `exists` (409 or 412 of an
 * object store). Or the call times out and nobody knows. Each body carries a nonce, so a process that finds exactly its
 * own body under the name has won. `replace` is not repeated, because the next heartbeat follows anyway.
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
      // A signal does not end this: the result of a call that has begun must be known, and it takes half a second at
      // most.
      await clock.sleep(waitMs, NEVER);
    }
  }
  return work();
}

const NEVER = new AbortController().signal;
