import type { VirtualCluster } from './cluster.ts';
import { bulk } from '../../embedded/development-node/documents.ts';
import { refresh } from '../../embedded/development-node/search.ts';
import type { Random } from './random.ts';
import { firstRow, nameOf } from './table.ts';

export interface EarlierIndex {
  /** Null: a person made it. */
  readonly fleet: string | null;
  readonly keys: readonly bigint[];
  /** What stands on the alias beside its name. */
  readonly properties: Readonly<Record<string, unknown>>;
}

const NAME = 'places-before';

/** The properties of an alias in these worlds: a filter, a routing, or both. */
export function drawProperties(random: Random): Readonly<Record<string, unknown>> {
  const filter = { range: { id: { gte: random.pick([-500, 0]) } } };
  const routing = { routing: random.pick(['south', 'north', 'west']) };
  return random.pick([{ filter }, routing, { filter, ...routing }]);
}

/** Makes an index that the readers' alias serves before any run begins. */
export function makeEarlierIndex(
  { indexes }: VirtualCluster,
  { fleet, keys, properties }: EarlierIndex,
): void {
  const meta = {
    schema: 1,
    fleet,
    run: 'before',
    run_key: 'sunday',
    alias: 'places',
    definition: 'places',
    definition_digest: 'none',
    role: 'target',
    created_at: '2025-01-01T00:00:00.000Z',
    promoted_at: '2025-01-01T01:00:00.000Z',
  };
  indexes.create(NAME, {
    mappings: {
      dynamic: 'strict',
      properties: { id: { type: 'long' }, name: { type: 'text' } },
      ...(fleet === null ? {} : { _meta: { reindex_fleet: meta } }),
    },
    aliases: { places: properties },
  });
  const lines = keys.map(
    (key) => `{"index":{"_id":"${key}"}}\n{"id":${key},"name":${JSON.stringify(nameOf(firstRow(key)))}}\n`,
  );
  if (lines.length > 0) bulk(indexes, NAME, lines.join(''), false);
  const index = indexes.byName.get(NAME);
  if (index !== undefined) refresh(index);
}
