import type { ClientBase } from 'pg';
import { isVersion } from '../../definition/changed-since.ts';
import type { DescribedDefinition } from '../../definition/definition.ts';
import { keyKindOf } from '../../definition/key/kinds.ts';
import { baseFrom, qualifiedKey, whereCondition } from '../../definition/sql.ts';
import { plural } from '../report/words.ts';
import type { SampledKey } from './ranges.ts';
import { someKeys } from './some-keys.ts';
import { attempt } from './transaction.ts';

/** What is looked at where not all rows are. */
const MOST = { rows: 5_000, bytes: 64 * 1024 * 1024 };

/** The rows whose `changed_at` cannot be a version: it is null, infinite or before 1970. */
export interface UnusableRows {
  readonly count: number;
  /** False: estimated from a sample. */
  readonly exact: boolean;
}

export interface PlannedRows {
  /** The number of rows, and whether it was counted. Counted rows are all looked at. */
  readonly rows: { readonly count: number; readonly exact: boolean };
  readonly sample: readonly SampledKey[];
}

/**
 * How many rows that the definition keeps have an unusable `changed_at`. Null without `changed_at`, and where rows cannot
 * be looked at.
 */
export async function unusableChangedAt(
  client: ClientBase,
  described: DescribedDefinition,
  { rows, sample }: PlannedRows,
): Promise<UnusableRows | null> {
  const { definition } = described;
  if (definition.source.changedAt === null) return null;
  const unusable = `NOT ${isVersion(described)}`;
  const statement = `SELECT count(*)::float8 AS looked, count(*) FILTER (WHERE ${whereCondition(definition)} AND ${unusable})::float8 AS unusable\n${baseFrom(definition)}`;
  const key = qualifiedKey(definition);
  const some = someKeys(keyKindOf(definition), sample, MOST);
  const { result } = rows.exact
    ? await attempt<Looked>(client, statement)
    : await attempt<Looked>(
        client,
        `${statement}\nWHERE ${key} = ANY ($1::${keyKindOf(definition).sqlType}[])`,
        [some],
      );
  const [found] = result?.rows ?? [];
  if (found === undefined) return null;
  if (rows.exact) return { count: found.unusable, exact: true };
  const share = found.looked === 0 ? 0 : found.unusable / found.looked;
  return { count: Math.round(rows.count * share), exact: false };
}

interface Looked {
  readonly looked: number;
  readonly unusable: number;
}

/** What becomes of such rows, for the plan. Null where there are none. */
export function unusableWords(
  { source }: DescribedDefinition['definition'],
  found: UnusableRows | null,
): string | null {
  if (found === null || found.count === 0) return null;
  const rows = `${found.exact ? '' : 'about '}${plural(found.count, 'row')}`;
  const counted = found.exact ? '' : ' (estimated from a sample; plan --exact counts them)';
  const have = `${rows} ${found.exact && found.count === 1 ? 'has' : 'have'} a changed_at that is null, infinite or before 1970${counted}`;
  return source.unusableChangedAt === 'lowest_version'
    ? `${have}. They get version 0, the lowest.`
    : `${have}. Each becomes a dead letter. Write unusable_changed_at: lowest_version to give such rows version 0 instead.`;
}
