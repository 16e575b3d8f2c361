import { deleteOwnIndex } from '../delete-index.ts';
import { describeIndex } from '../index-meta.ts';
import { withLeastReplicas } from '../least-replicas.ts';
import type { IndexBody } from '../mapping.ts';
import { scratchIndexOf } from '../names.ts';
import { type SearchCalls, segment } from '../search-calls.ts';
import type { Field } from './field-differences.ts';

/**
 * What the cluster makes of the asked fields by itself. A cluster writes some parameters back that nobody asked for, such
 * as the analyzer of a completion field. Which ones depends on type, product and version, so the cluster is asked: it
 * creates an index in which the same fields have other names, and no template knows these. The index is deleted at once.
 */
export async function whatFieldsBecome(
  cluster: SearchCalls,
  index: string,
  asked: IndexBody,
): Promise<Readonly<Record<string, Field>>> {
  const scratch = scratchIndexOf(index);
  const meta = asked.mappings._meta.reindex_fleet;
  const names = Object.keys(asked.mappings.properties);
  const renamed = new Map(names.map((name, i) => [name, `scratch_${meta.run}_${i}`]));
  const original = new Map([...renamed].map(([name, other]) => [other, name]));
  const body = {
    settings: Object.fromEntries(
      // Sorting names fields, and none here has the name.
      Object.entries(asked.settings).filter(([name]) => !name.startsWith('index.sort.')),
    ),
    mappings: {
      dynamic: 'strict',
      _meta: { reindex_fleet: { ...meta, role: 'scratch' } },
      properties: Object.fromEntries(
        Object.entries(asked.mappings.properties).map(([name, field]) => [
          renamed.get(name) ?? name,
          withPath(field, renamed),
        ]),
      ),
    },
  };
  // An earlier try of this run may have ended before it deleted its own.
  await deleteOwnIndex(cluster, scratch, meta.run);
  try {
    await withLeastReplicas((replicas) =>
      cluster.call(
        'PUT',
        `/${segment(scratch)}?wait_for_active_shards=0`,
        { ...body, settings: { ...body.settings, 'index.number_of_replicas': String(replicas) } },
        { timeoutMs: 60_000 },
      ),
    );
    const properties = (await describeIndex(cluster, scratch))?.mappings.properties ?? {};
    return Object.fromEntries(
      Object.entries(properties).flatMap(([name, field]): [string, Field][] => {
        const known = original.get(name);
        return known === undefined ? [] : [[known, withPath(field, original)]];
      }),
    );
  } finally {
    await cluster.callOrNull('DELETE', `/${segment(scratch)}`);
  }
}

/** A field of type alias names another one, which must be there. */
function withPath(field: Field, renamed: ReadonlyMap<string, string>): Field {
  const { type, path } = field;
  if (type !== 'alias' || typeof path !== 'string') return field;
  const [first = '', ...rest] = path.split('.');
  return { ...field, path: [renamed.get(first) ?? first, ...rest].join('.') };
}
