import type { ClientBase } from 'pg';
import type { DescribedDefinition } from '../../definition/definition.ts';
import { describeDefinition } from '../../definition/describe.ts';
import type { Fault } from '../../definition/faults.ts';
import type { LoadedDefinition } from '../../definition/load.ts';
import { didYouMean } from '../../definition/nearest.ts';
import { inspectExpressions } from './expressions.ts';
import { Inspection } from './inspection.ts';
import { inspectKey } from './key.ts';
import { inspectReach, inspectRows } from './rows.ts';
import { inspectTable } from './table.ts';
import { inReadOnlyTransaction } from './transaction.ts';

/** No check needs long. On a table of any size it looks at the catalogue, and by the index at a few rows. */
const STATEMENT_TIMEOUT_MS = 10_000;

export interface InspectionResult {
  /** Null when there are faults. */
  readonly described: DescribedDefinition | null;
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
}

/**
 * Checks a definition in the database itself, in a read-only transaction: table, key, joins and every expression, all
 * faults at once. It rejects only when the database cannot be asked.
 */
export async function inspectDefinition(
  client: ClientBase,
  loaded: LoadedDefinition,
): Promise<InspectionResult> {
  const what = `Inspecting the definition ${loaded.definition.name}`;
  return inReadOnlyTransaction(client, { what, statementTimeoutMs: STATEMENT_TIMEOUT_MS }, async () => {
    const inspection = new Inspection(client, loaded);
    await inspectEncoding(inspection);
    await inspectTimeZone(inspection);
    await inspectSource(inspection);
    const { faults, warnings, definition } = inspection;
    const described = faults.length > 0 ? null : await describeDefinition(client, definition);
    return { described, faults, warnings };
  });
}

async function inspectSource(inspection: Inspection): Promise<void> {
  const table = await inspectTable(inspection);
  if (table === null) return;
  await inspectKey(inspection, table);
  await inspectExpressions(inspection);
  // The checks that follow read by the key and through the joins.
  if (
    inspection.faultIn('source.table') ||
    inspection.faultIn('source.key') ||
    inspection.faultIn('source.joins')
  )
    return;
  await inspectReach(inspection, table);
  await inspectRows(inspection, table);
}

/** Refuses a database of the encoding SQL_ASCII. Nobody knows which letters its bytes are. */
async function inspectEncoding(inspection: Inspection): Promise<void> {
  const { rows } = await inspection.client.query<{ server_encoding: string }>('SHOW server_encoding');
  if (rows[0]?.server_encoding !== 'SQL_ASCII') return;
  inspection.fault(
    [],
    'The database has the encoding SQL_ASCII, so its texts cannot be turned into UTF-8. Dump it and load it into one with a named encoding.',
  );
}

async function inspectTimeZone(inspection: Inspection): Promise<void> {
  const { timeZone } = inspection.definition.source;
  if (timeZone === 'UTC') return;
  const { rows } = await inspection.client.query<{ name: string }>(
    'SELECT name FROM pg_catalog.pg_timezone_names',
  );
  const names = rows.map(({ name }) => name);
  if (names.some((name) => name.toLowerCase() === timeZone.toLowerCase())) return;
  inspection.fault(
    ['source', 'time_zone'],
    `The database knows no time zone "${timeZone}".${didYouMean(timeZone, names) || ' Write an IANA name, such as Europe/Berlin.'}`,
  );
}
