/**
 * The port behind everything that must survive the orchestrator. The design rests on one promise: `create` has exactly
 * one winner per name, also among processes on several machines, and what it created is durable. Backends: a folder
 * (`file-store.ts`), a bucket with conditional writes (`s3-store.ts`).
 */
export interface JournalStore {
  /** Where this store is, for messages. */
  readonly location: string;
  /**
   * Creates `name` if it is absent. It is durable once the call resolves. The call may be retried: a second one answers
   * `exists`. If the call rejects, nobody knows whether it took effect; `certain-store.ts` finds out.
   */
  create(name: string, body: string): Promise<'created' | 'exists'>;
  /** The whole body, never a part of it. Null if there is none. */
  read(name: string): Promise<string | null>;
  /** Replaces `name` as a whole. The last writer wins. For heartbeats only, never for what decides. */
  replace(name: string, body: string): Promise<void>;
  /** Deletes `name`. It may be absent. For what `sweep` finds too old, never for what decides. */
  remove(name: string): Promise<void>;
  /**
   * The sorted names right below a folder (`claims`), objects and folders alike. Each begins with the folder's name. An
   * absent folder has none. `part` asks for some of them only.
   */
  list(folder: string, part?: ListPart): Promise<string[]>;
}

/** A part of a list. To list all that a bucket holds of a long run takes many calls. */
export interface ListPart {
  /** Only names that sort after this one. It need not exist. */
  readonly after?: string;
  /** How many of them, from the first on. */
  readonly limit?: number;
}

export function partOf(names: Iterable<string>, { after = '', limit }: ListPart = {}): string[] {
  return [...names]
    .filter((name) => name > after)
    .sort()
    .slice(0, limit);
}
