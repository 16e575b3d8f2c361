import { bulk } from '../../embedded/development-node/documents.ts';
import { Indexes, type Index } from '../../embedded/development-node/indexes.ts';
import { stringify } from '../../embedded/development-node/json.ts';
import { answer } from '../../embedded/development-node/routes.ts';
import type { HttpMethod } from '../../orchestrator/index/search-calls.ts';
import { type ClusterAnswer, ClusterQuirks } from './cluster-quirks.ts';
import { type AliasMoved, type Served, servedBy } from './readers.ts';
import type { Scheduler } from './scheduler.ts';

/** A bulk that was admitted and is not yet applied. */
interface Admitted {
  readonly alias: string;
  readonly index: Index;
  readonly done: Promise<void>;
}

export interface BulkItem {
  readonly key: bigint;
  readonly document: string;
  /** The row's version. Absent where the definition has no `changed_at`. */
  readonly version?: bigint;
}

export type ItemOutcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly status: number; readonly type: string };

export interface ClusterWatch {
  /** A bulk through this write alias was applied, though its pass had ended. */
  lateWrite(alias: string, keys: readonly bigint[]): void;
  /** The readers' alias has moved. */
  promoted(move: AliasMoved): void;
  /** An index was deleted on somebody's order. */
  deleted(index: Index): void;
}

/**
 * A search cluster in virtual time: the built-in development node, which the contract suite holds to OpenSearch, with
 * what only a real cluster does, as it was measured. An admitted bulk waits in a queue. It lands on the concrete index,
 * whatever becomes of its alias meanwhile. A write block admits no bulk, waits for admitted ones, and is acknowledged
 * only then. Faults of a cluster happen here too.
 */
export class VirtualCluster {
  readonly indexes = new Indexes();
  readonly quirks = new ClusterQuirks();
  /** Until this time it refuses bulks with 429. */
  fullUntilMs = 0;
  /** Until this time it answers everything with 503. */
  downUntilMs = 0;
  /** Names of indexes whose primary shards are lost. */
  readonly red = new Set<string>();
  /** A test takes this guard out: then the block is acknowledged at once and blocks nothing. */
  withoutBlock = false;
  /** A test takes this guard out: then a bulk names the concrete index and needs no alias. */
  withoutAlias = false;
  readonly #scheduler: Scheduler;
  readonly #watch: ClusterWatch;
  readonly #admitted = new Set<Admitted>();
  readonly #blocking = new Set<string>();
  /** The write aliases of passes that have ended. A block was acknowledged while they existed. */
  readonly #ended = new Set<string>();

  constructor(scheduler: Scheduler, watch: ClusterWatch) {
    this.#scheduler = scheduler;
    this.#watch = watch;
  }

  /** Sends a bulk through a write alias. It is applied after `queueMs`. Rejects with a status when all is refused. */
  async bulk(alias: string, items: readonly BulkItem[], queueMs: number): Promise<ItemOutcome[]> {
    if (this.#scheduler.nowMs < this.downUntilMs) throw new Refused(503, 'unavailable');
    const isBusy = this.#scheduler.nowMs < Math.max(this.fullUntilMs, this.quirks.busyUntilMs);
    if (isBusy) throw new Refused(429, 'rejected_execution_exception');
    const index = this.#writeTarget(alias);
    if (index === null) return items.map(() => refusedItem(404, 'index_not_found_exception'));
    if (this.red.has(index.name)) throw new Refused(503, 'unavailable_shards_exception');
    const blocked = index.settings['index.blocks.write'] === 'true' || this.#blocking.has(index.name);
    if (blocked && !this.withoutBlock) return items.map(() => refusedItem(403, 'cluster_block_exception'));
    const { promise, resolve } = Promise.withResolvers<void>();
    const admitted = { alias, index, done: promise };
    this.#admitted.add(admitted);
    await this.#pass(queueMs);
    const outcomes = this.#apply(admitted, items);
    this.#admitted.delete(admitted);
    resolve();
    return outcomes;
  }

  /** Makes any other call, and the development node answers it. */
  async call(method: HttpMethod, path: string, body: unknown): Promise<ClusterAnswer> {
    if (this.#scheduler.nowMs < this.downUntilMs)
      return { status: 503, text: '{"error":{"type":"unavailable"}}' };
    const refused = this.quirks.refusal(this.#scheduler.nowMs, method, path, this.indexes);
    if (refused !== null) return refused;
    const block = /^\/([^/]+)\/_block\/write$/.exec(path);
    const health = /^\/_cluster\/health\/([^/?]+)/.exec(path);
    if (block !== null) return this.#block(decodeURIComponent(block[1] ?? ''));
    if (health !== null) return this.#health(decodeURIComponent(health[1] ?? '').split(','));
    const reads = /^\/([^/]+)\/(_count|_search|_msearch|_refresh|_mget|_delete_by_query)/.exec(path);
    if (reads !== null && this.red.has(decodeURIComponent(reads[1] ?? '')))
      return {
        status: 503,
        text: '{"error":{"type":"search_phase_execution_exception","reason":"all shards failed"}}',
      };
    return this.#ask(method, path, body);
  }

  /** Loses the disk of one index: the index is gone. */
  loseIndex(name: string): void {
    const rest = [...this.indexes.byName].filter(([index]) => index !== name);
    this.indexes.byName = new Map(rest);
    this.red.delete(name);
  }

  /** Brings a node back without its last writes: some documents of an index are missing. */
  loseDocuments(name: string, share: (id: string) => boolean): number {
    const index = this.indexes.byName.get(name);
    const lost = [...(index?.documents.keys() ?? [])].filter(share);
    for (const id of lost) index?.documents.delete(id);
    if (index !== undefined) index.visible = new Map(index.documents);
    return lost.length;
  }

  /** The keys that an index holds after its last write. */
  keysOf(name: string): Set<string> {
    const documents = this.indexes.byName.get(name)?.documents.values().toArray() ?? [];
    return new Set(documents.filter(({ source }) => source !== null).map(({ id }) => id));
  }

  holders(alias: string): string[] {
    return this.indexes.holders(alias).map(({ name }) => name);
  }

  /** Sets an alias without routing on every index that has it, as a person does. */
  unroute(alias: string): void {
    const actions = this.indexes.holders(alias).map(({ name: index, aliases }) => {
      const { search_routing: _search, index_routing: _index, ...properties } = aliases[alias] ?? {};
      return { add: { index, alias, ...properties } };
    });
    this.indexes.updateAliases(actions);
  }

  #writeTarget(alias: string): Index | null {
    try {
      return this.indexes.writeTarget(alias, true);
    } catch {
      const concrete = alias.replace(/-write-\d+$/, '');
      return this.withoutAlias ? (this.indexes.byName.get(concrete) ?? null) : null;
    }
  }

  #apply({ alias, index }: Admitted, items: readonly BulkItem[]): ItemOutcome[] {
    const now = this.indexes.byName.get(index.name);
    // The index was recreated or deleted meanwhile, and the bulk was for the old one.
    if (now === undefined || now.documents !== index.documents)
      return items.map(() => refusedItem(404, 'index_not_found_exception'));
    if (this.#ended.has(alias))
      this.#watch.lateWrite(
        alias,
        items.map(({ key }) => key),
      );
    const lines = items.map(({ key, document, version }) => {
      const versioned = version === undefined ? '' : `,"version":${version},"version_type":"external_gte"`;
      return `{"index":{"_id":"${key}"${versioned}}}\n${document}\n`;
    });
    const { items: answers } = bulk(this.indexes, index.name, lines.join(''), false) as {
      items: BulkAnswer[];
    };
    this.quirks.store(
      now,
      items.map(({ key }) => String(key)),
    );
    return answers.map(({ index: { status, error } }) =>
      error === undefined ? { ok: true } : refusedItem(status, error.type),
    );
  }

  async #block(name: string): Promise<ClusterAnswer> {
    const index = this.indexes.byName.get(name);
    if (index === undefined) return { status: 404, text: '{"error":{"type":"index_not_found_exception"}}' };
    const aliases = Object.keys(index.aliases).filter((alias) => /-write-\d+$/.test(alias));
    if (!this.withoutBlock) {
      this.#blocking.add(name);
      while (this.#inside(name).length > 0) await Promise.all(this.#inside(name).map(({ done }) => done));
      this.#blocking.delete(name);
    }
    const answered = await this.#ask('PUT', `/${encodeURIComponent(name)}/_block/write`, null);
    const blocked = this.indexes.byName.get(name);
    if (this.withoutBlock && blocked !== undefined)
      blocked.settings = { ...blocked.settings, 'index.blocks.write': 'false' };
    for (const alias of aliases) this.#ended.add(alias);
    return answered;
  }

  #inside(name: string): Admitted[] {
    return [...this.#admitted].filter(({ index }) => index.name === name);
  }

  #health(names: readonly string[]): ClusterAnswer {
    const lost = names.some((name) => this.red.has(name) || !this.indexes.byName.has(name));
    const status = lost ? 'red' : 'green';
    return {
      status: lost ? 408 : 200,
      text: JSON.stringify({ status, timed_out: lost, unassigned_shards: lost ? 1 : 0 }),
    };
  }

  async #ask(method: string, path: string, body: unknown): Promise<ClusterAnswer> {
    const own = this.quirks.answerOf(path, body, this.indexes);
    if (own !== null) return own;
    const asked = this.quirks.routed(path, body, this.indexes);
    const moves = path === '/_aliases' ? this.#movesOf(body) : [];
    const doomed =
      method === 'DELETE' ? this.indexes.byName.get(decodeURIComponent(path.slice(1))) : undefined;
    try {
      const text = typeof asked === 'string' ? asked : JSON.stringify(asked ?? undefined);
      const { status, body: said } = await answer(
        this.indexes,
        method,
        new URL(path, 'http://cluster'),
        text ?? '',
      );
      for (const move of moves) this.#noticeMove(move);
      if (method === 'DELETE') this.red.delete(path.slice(1));
      if (doomed !== undefined) this.#watch.deleted(doomed);
      return { status, text: stringify(this.quirks.answered(path, said, this.indexes)) };
    } catch (error) {
      const {
        status = 500,
        type = 'exception',
        message = '',
      } = error as { status?: number; type?: string; message?: string };
      return { status, text: JSON.stringify({ error: { type, reason: message }, status }) };
    }
  }

  /** Moves of readers' aliases, with what they serve until then. */
  #movesOf(body: unknown): Move[] {
    const { actions } = body as { actions: { add?: { index: string; alias: string } }[] };
    return actions.flatMap(({ add }) =>
      add === undefined || /-(write-\d+|trial)$/.test(add.alias)
        ? []
        : [{ ...add, before: this.indexes.holders(add.alias).map((index) => servedBy(index, add.alias)) }],
    );
  }

  #noticeMove({ index: name, alias, before }: Move): void {
    const index = this.indexes.byName.get(name);
    if (index === undefined) return;
    const deadLetters = this.keysOf(`${name}-dead-letters`);
    this.#watch.promoted({
      index: name,
      keys: this.keysOf(name),
      deadLetters,
      before,
      after: servedBy(index, alias),
    });
  }

  #pass(ms: number): Promise<void> {
    return new Promise((resolve) => this.#scheduler.after(ms, resolve));
  }
}

interface Move {
  readonly index: string;
  readonly alias: string;
  readonly before: readonly Served[];
}

interface BulkAnswer {
  readonly index: { readonly status: number; readonly error?: { readonly type: string } };
}

/** A refusal of a whole request. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly status: number;
  readonly type: string;

  constructor(status: number, type: string) {
    super(`${status} ${type}`);
    this.status = status;
    this.type = type;
  }
}

function refusedItem(status: number, type: string): ItemOutcome {
  return { ok: false, status, type };
}
