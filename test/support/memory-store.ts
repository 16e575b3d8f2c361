import { type JournalStore, type ListPart, partOf } from '../../orchestrator/journal/store.ts';
import { childrenOf } from './children-of.ts';

/** A journal store in memory that can be made to fail, or to lose the answer of a write that took effect. */
export class MemoryStore implements JournalStore {
  readonly location = 'memory';
  readonly objects = new Map<string, string>();
  /** Answers `exists` to the winner of the next create. A store does so if its first answer was lost. */
  loseNextAnswer = false;
  failReplace: Error | null = null;

  create(name: string, body: string): Promise<'created' | 'exists'> {
    if (this.objects.has(name)) return Promise.resolve('exists');
    this.objects.set(name, body);
    const lost = this.loseNextAnswer;
    this.loseNextAnswer = false;
    return Promise.resolve(lost ? 'exists' : 'created');
  }

  read(name: string): Promise<string | null> {
    return Promise.resolve(this.objects.get(name) ?? null);
  }

  replace(name: string, body: string): Promise<void> {
    if (this.failReplace !== null) return Promise.reject(this.failReplace);
    this.objects.set(name, body);
    return Promise.resolve();
  }

  remove(name: string): Promise<void> {
    this.objects.delete(name);
    return Promise.resolve();
  }

  list(folder: string, part?: ListPart): Promise<string[]> {
    return Promise.resolve(partOf(childrenOf(folder, this.objects.keys()), part));
  }
}
