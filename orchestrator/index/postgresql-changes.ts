import {
  changedAtMicros,
  changedSinceCondition,
  isInFuture,
  isVersion,
} from '../../definition/changed-since.ts';
import type { DescribedDefinition } from '../../definition/definition.ts';
import { type Key, keyFrom } from '../../definition/key/key-kind.ts';
import type { KeyRange } from '../../definition/key/key-range.ts';
import { keyKindOf } from '../../definition/key/kinds.ts';
import {
  baseFrom,
  qualifiedKey,
  rangeCondition,
  selectRows,
  whereCondition,
  withoutJoins,
} from '../../definition/sql.ts';
import type { Cutoff } from '../reconcile/cutoff.ts';
import { estimatedRows, relationsIn } from '../plan/explain.ts';
import { aroundBrokenRows, unlessARowFails } from './broken-rows.ts';
import type { ChangedRow, ChangesSource, TableState } from './changes-source.ts';
import { querySource, type UseClient } from './source-query.ts';

/** How many rows one statement reads. One call to the cluster looks up as many documents. */
const PAGE = 2_000;
/** A table of more rows is not counted where only a cheap look is wanted. */
const MOST_COUNTED_ROWS = 1_000_000;
const OPEN: KeyRange = { start: null, end: null };

/** The database's changes in PostgreSQL. Every statement uses a client from `use` and its own short transaction. */
export function openChangesSource(use: UseClient, described: DescribedDefinition): ChangesSource {
  return {
    cutoff: () => cutoff(use),
    changedRows: (range, since) => changedRows({ use, described, since }, range),
    unseenRows: () => unseenRows(use, described),
    tableState: () => tableState(use, described),
  };
}

/** PostgreSQL hides a session's transaction from a role that may not see it, and shows these words in its place. */
const HIDDEN = '<insufficient privilege>';
/** Gives a time as ISO 8601 with microseconds. The session is in UTC. */
const iso = (time: string): string => `to_char(${time}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

/** Workers of autovacuum and WAL senders write no rows. */
const CUTOFF = `
  WITH sessions AS (
    SELECT xact_start, query = '${HIDDEN}' AS hidden
    FROM pg_catalog.pg_stat_activity
    WHERE pid <> pg_backend_pid() AND usesysid IS NOT NULL
      AND datid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
      AND coalesce(backend_type, '') NOT IN ('autovacuum worker', 'walsender')
  ), prepared AS (
    SELECT prepared FROM pg_catalog.pg_prepared_xacts WHERE database = current_database()
  )
  SELECT ${iso('clock_timestamp()')} AS at,
    ${iso(`least(
      clock_timestamp(),
      pg_last_xact_replay_timestamp(),
      (SELECT min(xact_start) FROM sessions),
      (SELECT min(prepared) FROM prepared))`)} AS oldest,
    pg_is_in_recovery() AS replica,
    EXISTS (SELECT FROM sessions WHERE hidden) AS hidden_sessions,
    EXISTS (SELECT FROM prepared) AS prepared_transactions,
    EXISTS (SELECT FROM pg_catalog.pg_stat_subscription WHERE pid IS NOT NULL) AS subscription`;

interface CutoffRow {
  readonly at: string;
  readonly oldest: string;
  readonly replica: boolean;
  readonly hidden_sessions: boolean;
  readonly prepared_transactions: boolean;
  readonly subscription: boolean;
}

async function cutoff(use: UseClient): Promise<Cutoff> {
  const [row] = await use((client) => querySource<CutoffRow & Record<string, unknown>>(client, CUTOFF));
  if (row === undefined) throw new Error('a cutoff without a row');
  const { at, oldest } = row;
  const doubts = (['replica', 'hidden_sessions', 'prepared_transactions', 'subscription'] as const).filter(
    (doubt) => row[doubt],
  );
  return { at, oldest, doubts };
}

interface ChangedReading {
  readonly use: UseClient;
  readonly described: DescribedDefinition;
  readonly since: string;
}

/**
 * Reads page by page, so that no snapshot is held while the cluster is asked. A row whose `changed_at` fails is left out:
 * it has become a dead letter, and nobody can say when it changed. A row whose condition fails counts as kept.
 */
async function* changedRows(reading: ChangedReading, range: KeyRange): AsyncGenerator<readonly ChangedRow[]> {
  const kind = keyKindOf(reading.described.definition);
  let { start } = range;
  for (;;) {
    const rest = { start, end: range.end };
    const found = await unlessARowFails(changedIn(reading, rest, { most: PAGE }));
    if (found === null) yield* changedAroundBroken(reading, rest);
    const last = found?.at(-1);
    if (found === null || last === undefined) return;
    yield found;
    start = kind.after(last.key);
    if (found.length < PAGE || start === null) return;
  }
}

async function unseenRows(use: UseClient, described: DescribedDefinition): Promise<number | null> {
  const { definition } = described;
  // Without the lowest version, such a row is a dead letter.
  const unseen =
    definition.source.unusableChangedAt === 'lowest_version'
      ? `(NOT ${isVersion(described)} OR ${isInFuture(described)})`
      : isInFuture(described);
  const text = `SELECT count(*) AS rows\n${baseFrom(definition)}\nWHERE ${whereCondition(definition)} AND ${unseen}`;
  // A row whose condition fails is no reason to end a run here.
  const counted = await unlessARowFails(use((client) => querySource<{ rows: string }>(client, text)));
  return counted?.[0] === undefined ? null : Number(counted[0].rows);
}

async function* changedAroundBroken(
  reading: ChangedReading,
  range: KeyRange,
): AsyncGenerator<readonly ChangedRow[]> {
  const { use, described } = reading;
  const { definition } = described;
  const kind = keyKindOf(definition);
  const whole = async (part: KeyRange): Promise<ChangedPart> => ({ rows: await changedIn(reading, part) });
  const broken = (key: Key): ChangedPart => ({ broken: key });
  for (const part of await aroundBrokenRows({ use, definition, whole, broken }, range)) {
    if ('rows' in part) {
      if (part.rows.length > 0) yield part.rows;
      continue;
    }
    const alone = { start: part.broken, end: kind.after(part.broken) };
    const rows = await unlessARowFails(changedIn(reading, alone, { isKept: true }));
    if (rows !== null && rows.length > 0) yield rows;
  }
}

type ChangedPart = { readonly rows: readonly ChangedRow[] } | { readonly broken: Key };

interface ChangedOptions {
  /** The most rows. Absent: all. */
  readonly most?: number;
  /** True: every row counts as kept, and its condition is not asked. */
  readonly isKept?: boolean;
}

async function changedIn(
  { use, described, since }: ChangedReading,
  range: KeyRange,
  { most, isKept = false }: ChangedOptions = {},
): Promise<readonly ChangedRow[]> {
  const { definition } = described;
  const kind = keyKindOf(definition);
  const key = qualifiedKey(definition);
  const text = [
    `SELECT ${key}::text AS key, ${changedAtMicros(described)}::text AS version,`,
    isKept ? 'true AS kept' : `coalesce(${whereCondition(definition)}, false) AS kept`,
    baseFrom(definition),
    `WHERE ${rangeCondition(definition, range)} AND ${changedSinceCondition(described, since)}`,
    `ORDER BY ${key}${most === undefined ? '' : ` LIMIT ${most}`}`,
  ].join('\n');
  const rows = await use((client) =>
    querySource<{ key: string; version: string; kept: boolean }>(client, text),
  );
  return rows.map((row) => ({
    key: keyFrom(kind, row.key),
    version: BigInt(row.version),
    kept: row.kept,
  }));
}

/**
 * Looks at the base table, and at all tables that the joins, views and partitions behind it lead to. A replica keeps no
 * statistics of writes.
 */
async function tableState(use: UseClient, described: DescribedDefinition): Promise<TableState> {
  const { definition } = described;
  const base = `SELECT ${qualifiedKey(definition)} ${baseFrom(withoutJoins(definition))}`;
  return use(async (client) => {
    const relations = await relationsIn(client, selectRows(described, OPEN));
    const [found] = await querySource<{ files: string | null; writes: string | null }>(client, STATE, [
      relations.map(({ schema }) => schema),
      relations.map(({ name }) => name),
    ]);
    const isSmall = (await estimatedRows(client, base)) <= MOST_COUNTED_ROWS;
    const [counted] = isSmall
      ? await querySource<{ rows: string }>(client, `SELECT count(*) AS rows FROM (${base}) AS base`)
      : [];
    return {
      rows: counted === undefined ? null : Number(counted.rows),
      writes: found?.writes == null ? null : Number(found.writes),
      files: found?.files ?? null,
    };
  });
}

const STATE = `
  SELECT md5(string_agg(format('%s:%s', class.oid, class.relfilenode), ',' ORDER BY class.oid)) AS files,
    CASE WHEN NOT pg_is_in_recovery() AND current_setting('track_counts')::boolean THEN
      sum(pg_stat_get_tuples_inserted(class.oid) + pg_stat_get_tuples_updated(class.oid)
        + pg_stat_get_tuples_deleted(class.oid))::text
    END AS writes
  FROM (SELECT DISTINCT schema, name FROM unnest($1::text[], $2::text[]) AS given (schema, name)) AS relation
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.nspname = relation.schema
  JOIN pg_catalog.pg_class AS class ON class.relnamespace = namespace.oid AND class.relname = relation.name`;
