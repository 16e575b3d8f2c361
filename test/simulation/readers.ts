import type { Doc, Index } from '../../embedded/development-node/indexes.ts';
import { stringify } from '../../embedded/development-node/json.ts';

/** What a promotion may take away from readers only with a person's leave. */
const SHRINK_LIMIT_PERCENT = 50;
/** How many shards an index has, as far as a routing goes. */
const SHARDS = 3;

/** What readers find in an index through their alias. It shares no code with what the run counts. */
export interface Served {
  readonly index: string;
  readonly filter: string;
  /** The documents of the index. */
  readonly held: number;
  /** Those that the alias's filter lets through. */
  readonly fitting: number;
  /** Those of them that the alias's routing leads to. */
  readonly found: number;
  /** Those that the index finds by the value that they hold. */
  readonly findable: number;
}

/** A move of the readers' alias, with what it served before and serves now. */
export interface AliasMoved {
  readonly index: string;
  readonly keys: ReadonlySet<string>;
  readonly deadLetters: ReadonlySet<string>;
  readonly before: readonly Served[];
  readonly after: Served;
}

export function servedBy(index: Index, alias: string): Served {
  const { filter = null, search_routing: routing } = index.aliases[alias] ?? {};
  const documents = [...index.documents.values()].filter(({ source }) => source !== null);
  const fitting = documents.filter((document) => fits(document, filter));
  return {
    index: index.name,
    filter: stringify(filter),
    held: documents.length,
    fitting: fitting.length,
    found: fitting.filter(({ id }) => typeof routing !== 'string' || shardOf(id) === shardOf(routing)).length,
    findable: documents.filter(({ fields }) => 'name' in fields).length,
  };
}

/** The shard of a document that is written with this routing, or with none, which is its id. */
export function shardOf(routing: string): number {
  let sum = 0;
  for (const letter of routing) sum = (sum * 31 + letter.charCodeAt(0)) % 1_000_003;
  return sum % SHARDS;
}

/** The filters of these worlds let through the keys from one on. */
function fits({ id }: Doc, filter: unknown): boolean {
  if (filter === null) return true;
  const { range } = filter as { range: { id: { gte: number } } };
  return BigInt(id) >= BigInt(range.id.gte);
}

/** What a move of the alias takes away from readers though nobody gave leave. */
export function lossesOf(
  { index, before, after }: AliasMoved,
  leave: { readonly shrink: boolean },
): string[] {
  const former = before.filter((served) => served.index !== index);
  const sum = (pick: (served: Served) => number): number =>
    former.reduce((total, served) => total + pick(served), 0);
  const shrinks =
    isShrunk(
      sum(({ found }) => found),
      after.found,
    ) ||
    isShrunk(
      sum(({ held }) => held),
      after.held,
    );
  const words = `${sum(({ found }) => found)} of ${sum(({ held }) => held)} before, ${after.found} of ${after.held} now`;
  return [
    ...(after.found < after.fitting
      ? [`${index} is promoted, and readers find ${after.found} of its ${after.fitting} documents`]
      : []),
    ...(former.some(({ filter }) => filter !== after.filter)
      ? [`${index} is promoted with the filter ${after.filter}, which the alias did not have`]
      : []),
    ...(shrinks && !leave.shrink
      ? [`${index} is promoted, and nobody gave leave to shrink: readers found ${words}`]
      : []),
    ...(after.findable < after.held
      ? [`${index} is promoted, and finds ${after.findable} of its ${after.held} documents by what they hold`]
      : []),
  ];
}

export function isShrunk(before: number, after: number): boolean {
  return before > 0 && (after === 0 || (before - after) * 100 > before * SHRINK_LIMIT_PERCENT);
}
