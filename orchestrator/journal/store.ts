/**
 * The port behind everything that must survive the orchestrator. One promise carries the design: `create` has
 * exactly one winner per name, also among processes on several machines, and what it created is durable.
 * Backends: a folder (`file-store.ts`), a bucket with conditional writes (`s3-store.ts`).
 */
export interface JournalStore {
  /** For messages: where this store is. */
  readonly location: string;
  /**
   * Creates `name` if it is absent. Durable once it resolves. May be retried: a second call answers `exists`. Where it
   * rejects, nobody knows whether it took effect; `certain-store.ts` finds out.
   */
  create(name: string, body: string): Promise<'created' | 'exists'>;
  /** The body, or null if there is none. Never a part of one. */
  read(name: string): Promise<string | null>;
  /** Replaces `name` as a whole; the last writer wins. For heartbeats only, never for what decides. */
  replace(name: string, body: string): Promise<void>;
  /** Deletes `name`; one that is not there is no fault. For what `sweep` finds too old, never for what decides. */
  remove(name: string): Promise<void>;
  /**
   * Names of what lies right below a folder (`claims`), objects and folders alike, sorted; an absent folder has none.
   * Each begins with the folder's name. `part`: not all of them.
   */
  list(folder: string, part?: ListPart): Promise<string[]>;
}

/** A part of a list: what a bucket holds of a long run takes many calls to list whole. */
export interface ListPart {
  /** Only names that sort behind this one, which need not exist. */
  readonly after?: string;
  /** The first so many of them. */
  readonly limit?: number;
}

export function partOf(names: Iterable<string>, { after = '', limit }: ListPart = {}): string[] {
  return [...names]
    .filter((name) => name > after)
    .sort()
    .slice(0, limit);
}
