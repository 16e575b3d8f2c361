import type { Doc, Index, Indexes } from '../../embedded/development-node/indexes.ts';
import { shardOf } from './readers.ts';

export interface ClusterAnswer {
  readonly status: number;
  readonly text: string;
}

/** Guards of the product that a test takes out by what the cluster answers. */
export interface WithoutGuards {
  has(guard: 'trial alias' | 'last index' | 'dropped values' | 'found samples'): boolean;
}

/**
 * What a cluster does that nobody asked it for: it is busy for minutes, it refuses to delete, a routing on an alias hides
 * documents, and a template lets it store values that it does not index.
 */
export class ClusterQuirks {
  /** Until this time it answers 429 to every call. */
  busyUntilMs = 0;
  /** Until this time it refuses to delete indexes that have served readers, and claims. */
  keepsUntilMs = 0;
  keepsBecause: 'snapshot' | 'security' = 'snapshot';
  /** Whether it stores values that it does not index, and whether `_ignored` says so. Null: it indexes everything. */
  drops: 'said' | 'unsaid' | null = null;
  /** The same of any time before. Null: it has always indexed everything. */
  hasDropped: 'said' | 'unsaid' | null = null;
  without: WithoutGuards = new Set<never>();

  /** The refusal of a call, whatever it asks for. Null: it is not refused. */
  refusal(nowMs: number, method: string, path: string, indexes: Indexes): ClusterAnswer | null {
    if (nowMs < this.busyUntilMs) return refused(429, 'circuit_breaking_exception', 'too many requests');
    if (method !== 'DELETE' || nowMs >= this.keepsUntilMs) return null;
    if (this.keepsBecause === 'snapshot')
      return isFormer(path, indexes)
        ? refused(400, 'snapshot_in_progress_exception', 'a snapshot of it is under way')
        : null;
    return isClaim(path) || isFormer(path, indexes)
      ? refused(403, 'security_exception', 'no permissions for [indices:data/write/delete]')
      : null;
  }

  /** The cluster's own answer to a question of which the development node knows nothing. */
  answerOf(path: string, body: unknown, indexes: Indexes): ClusterAnswer | null {
    const { query, size } = (body ?? {}) as { query?: { terms?: object }; size?: number };
    const [, name = '', call] = /^\/([^/]+)\/(_count|_search)/.exec(path) ?? [];
    const index = indexes.byName.get(decodeURIComponent(name));
    if (index === undefined) return null;
    if (call === '_count' && '_ignored' in (query?.terms ?? {})) {
      const ignored = [...index.visible.values()].filter(({ fields }) => '_ignored' in fields).length;
      return whole({ count: this.without.has('dropped values') ? 0 : ignored });
    }
    const isLeft = Object.keys(index.aliases).length === 0 && wasPromoted(index);
    return call === '_search' && size === 0 && isLeft && this.without.has('last index')
      ? whole({ hits: { total: { value: 0, relation: 'eq' }, hits: [] } })
      : null;
  }

  /** A search through an alias with a routing asks one shard. */
  routed(path: string, body: unknown, indexes: Indexes): unknown {
    const index = this.#routedIndex(/^\/([^/]+)\/_search/.exec(path)?.[1] ?? '', indexes);
    if (index === null) return body;
    const { query = { match_all: {} }, ...rest } = (body ?? {}) as { query?: unknown };
    const values = [...index.documents.keys()].filter((id) => shardOf(id) === shardOf(index.routing));
    return { ...rest, query: { bool: { filter: [query, { ids: { values } }] } } };
  }

  /** A document that is asked for by its id through an alias with a routing is looked for in one shard. */
  answered(path: string, said: unknown, indexes: Indexes): unknown {
    if (/\/_msearch/.test(path) && this.without.has('found samples')) return allFound(said);
    const index = this.#routedIndex(/^\/([^/]+)\/_mget/.exec(path)?.[1] ?? '', indexes);
    if (index === null) return said;
    const { docs } = said as { docs: { _id: string; found: boolean }[] };
    const isThere = (id: string): boolean => shardOf(id) === shardOf(index.routing);
    return { docs: docs.map((doc) => (isThere(doc._id) ? doc : { _id: doc._id, found: false })) };
  }

  /** Stores some values of a bulk, and indexes none of them. */
  store(index: Index, ids: readonly string[]): void {
    if (this.drops === null) return;
    this.hasDropped = this.drops;
    for (const id of ids) {
      const document = index.documents.get(id);
      if (document?.source !== null && document !== undefined && shardOf(id) === 0)
        index.documents.set(id, { ...document, fields: this.#kept(document) });
    }
  }

  #kept({ fields }: Doc): Doc['fields'] {
    const { name: _, ...rest } = fields;
    return this.drops === 'said' ? { ...rest, _ignored: ['name'] } : rest;
  }

  #routedIndex(
    name: string,
    indexes: Indexes,
  ): { readonly routing: string; readonly documents: Index['documents'] } | null {
    const alias = decodeURIComponent(name);
    const [index] = indexes.holders(alias);
    const routing = index?.aliases[alias]?.search_routing;
    if (index === undefined || typeof routing !== 'string') return null;
    if (alias.endsWith('-trial') && this.without.has('trial alias')) return null;
    return { routing, documents: index.documents };
  }
}

function isClaim(path: string): boolean {
  return /^\/[^/]+-claims\/_doc\//.test(path);
}

/** Whether a call is about an index that has served readers. */
function isFormer(path: string, { byName }: Indexes): boolean {
  const index = byName.get(decodeURIComponent(path.slice(1)));
  return index !== undefined && wasPromoted(index);
}

export function wasPromoted(index: Index): boolean {
  return metaOf(index)?.promoted_at !== undefined;
}

/** What an index says of the run that built it. Absent where no run did. */
export function metaOf({
  mappings,
}: Index): { readonly fleet: string; readonly promoted_at?: string } | undefined {
  const { reindex_fleet: meta } = (mappings._meta ?? {}) as {
    reindex_fleet?: { fleet: string; promoted_at?: string };
  };
  return meta;
}

function allFound(said: unknown): unknown {
  const { responses } = said as { responses: { hits: { total: object } }[] };
  return {
    responses: responses.map((one) => ({
      ...one,
      hits: { ...one.hits, total: { value: 1, relation: 'eq' } },
    })),
  };
}

function refused(status: number, type: string, reason: string): ClusterAnswer {
  return { status, text: JSON.stringify({ error: { type, reason }, status }) };
}

function whole(body: object): ClusterAnswer {
  const _shards = { total: 1, successful: 1, skipped: 0, failed: 0 };
  return { status: 200, text: JSON.stringify({ timed_out: false, _shards, ...body }) };
}
