import { randomUUID } from 'node:crypto';
import { isDenied } from '../aws/aws-error.ts';
import { messageOf } from '../errors.ts';
import type { JournalStore } from './store.ts';

/** This object stays, so that commands that check at the same moment do not take it from each other. */
const PROBE = 'probe/conditional-write.json';
/** This object never exists. A process that may delete it may delete what exists. */
const NEVER_THERE = 'probe/never-there.json';

/**
 * Checks before a run that a store gives everything that the run needs: lists, reads, writes, deletions, and one winner
 * per name.
 *
 * @param store one that says for certain who created a name (`certain-store.ts`)
 * @returns every fault as a sentence; empty when all is well
 */
export async function checkStore(store: JournalStore): Promise<string[]> {
  const faults = new Faults();
  const listed = await faults.of(() => store.list('probe', { limit: 1 }));
  if (faults.isHopeless) return faults.sentences;
  const first = await faults.of(() => store.create(PROBE, randomUUID()));
  const second = first === null ? null : await faults.of(() => store.create(PROBE, randomUUID()));
  if (second === 'created') faults.add(doubleWinner(store));
  // Without the right to list, a missing object is refused even to a process that may read. That would say nothing.
  if (listed !== null || first !== null) await faults.of(() => store.read(PROBE));
  await faults.of(() => store.remove(NEVER_THERE));
  return faults.sentences;
}

function doubleWinner({ location }: JournalStore): string {
  return `the journal in ${location} is not safe: this store does not honour conditional writes (If-None-Match), so two processes could both take the fleet. Use Amazon S3 or another store that honours them: correct journal.url or AWS_ENDPOINT_URL`;
}

class Faults {
  readonly #sentences = new Set<string>();
  /** True when every other call would fail in the same way: no bucket, no credentials, no answer. */
  isHopeless = false;

  get sentences(): string[] {
    return [...this.#sentences];
  }

  add(sentence: string): void {
    this.#sentences.add(sentence);
  }

  /** Makes a call. Null when it failed. */
  async of<T>(work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      this.add(messageOf(error));
      this.isHopeless = !(error instanceof Error && isDenied(error.cause));
      return null;
    }
  }
}
