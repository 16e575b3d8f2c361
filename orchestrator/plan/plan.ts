import type { ClientBase } from 'pg';
import type { DescribedDefinition } from '../../definition/definition.ts';
import { describedDigest } from '../../definition/digest.ts';
import { Faults } from '../../definition/faults.ts';
import { keyKindOf } from '../../definition/key/kinds.ts';
import type { LoadedDefinition } from '../../definition/load.ts';
import type { KeyBounds } from './bounds.ts';
import { expectedBytes, rangeCount } from './estimate.ts';
import { inspectDefinition } from './inspect.ts';
import { measureBytesPerRow } from './measure.ts';
import { type SplitRange, splitRanges } from './ranges.ts';
import { sampleTable } from './sample.ts';
import { inReadOnlyTransaction } from './transaction.ts';

export interface PlanOptions {
  /** The number of workers that will share the ranges. */
  readonly workers: number;
  /** The number of ranges. Null: as many as suit the table and the workers. */
  readonly ranges: number | null;
  /** Whether to count the rows instead of estimating them, however long that takes. */
  readonly exact: boolean;
  /** The time limit of each statement except the exact count. */
  readonly statementTimeoutMs: number;
}

/** What a run of one definition would do. */
export interface DefinitionPlan {
  readonly described: DescribedDefinition;
  /** `<digest of the definition>.<digest of its columns' types>`. */
  readonly digest: string;
  /** The rows of the base table, before `where`. */
  readonly rows: { readonly count: number; readonly exact: boolean };
  /** Null for an empty table. */
  readonly bounds: KeyBounds | null;
  /** Every possible key lies in exactly one range. */
  readonly ranges: readonly SplitRange[];
  /** Whole bytes to the cluster for each row of the base table. Null when no row could be measured. */
  readonly bytesPerRow: number | null;
  readonly expectedBytes: number | null;
}

const STATEMENT_TIMEOUT_MS = 60_000;

/**
 * Inspects a definition in the database and plans its ranges. It writes nothing. It throws `Faults` that name
 * everything wrong with the definition.
 */
export async function planDefinition(
  client: ClientBase,
  loaded: LoadedDefinition,
  options: Pick<PlanOptions, 'workers'> & Partial<PlanOptions>,
): Promise<DefinitionPlan> {
  const { described, faults } = await inspectDefinition(client, loaded);
  if (described === null) throw new Faults(faults);
  const { definition } = described;
  const limits = {
    what: `Planning the definition ${definition.name}`,
    statementTimeoutMs: options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS,
  };
  return inReadOnlyTransaction(client, limits, async () => {
    const { bounds, rows, bytes, sample } = await sampleTable(client, definition, {
      exact: options.exact ?? false,
    });
    const bytesPerRow = await measureBytesPerRow(client, definition, sample);
    const ranges = rangeCount({
      rows: rows.count,
      bytes,
      workers: options.workers,
      wanted: options.ranges ?? null,
    });
    return {
      described,
      digest: describedDigest(described),
      rows,
      bounds,
      ranges: splitRanges(keyKindOf(definition), sample, { rows: rows.count, bytes: bytes ?? 0, ranges }),
      bytesPerRow: bytesPerRow === null ? null : Math.round(bytesPerRow),
      expectedBytes: expectedBytes(rows.count, bytesPerRow),
    };
  });
}
