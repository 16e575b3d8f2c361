import type { ClientBase } from 'pg';
import type { DescribedDefinition } from '../../definition/definition.ts';
import { describedDigest } from '../../definition/digest.ts';
import { type Fault, Faults, formatFault } from '../../definition/faults.ts';
import { keyKindOf } from '../../definition/key/kinds.ts';
import type { LoadedDefinition } from '../../definition/load.ts';
import type { Path } from '../../definition/yaml-file.ts';
import { changingAtEachAsking } from './asked-again.ts';
import type { KeyBounds } from './bounds.ts';
import { expectedBytes, rangeCount } from './estimate.ts';
import { inspectDefinition } from './inspect.ts';
import { measureBytesPerRow } from './measure.ts';
import { type SplitRange, splitRanges } from './ranges.ts';
import { sampleTable } from './sample.ts';
import { inReadOnlyTransaction } from './transaction.ts';
import { unusableChangedAt, type UnusableRows, unusableWords } from './unusable-changed-at.ts';
import { fieldsWithZonelessTimes, zonelessWords } from './zoneless-times.ts';

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
  /** Rows whose `changed_at` cannot be a version. Null without `changed_at`, and where they could not be looked at. */
  readonly unusableChangedAt: UnusableRows | null;
  /** What a person should know before a run: sentences, each with its place in the definition. */
  readonly warnings: readonly string[];
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
  const { described, faults, warnings } = await inspectDefinition(client, loaded);
  if (described === null) throw new Faults(faults);
  const { definition } = described;
  const limits = {
    what: `Planning the definition ${definition.name}`,
    statementTimeoutMs: options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS,
  };
  const { sample, ...plan } = await inReadOnlyTransaction(client, limits, async () => {
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
    const unusable = await unusableChangedAt(client, described, { rows, sample });
    const zoneless = await fieldsWithZonelessTimes(client, described, sample);
    return {
      sample,
      described,
      digest: describedDigest(described),
      rows,
      bounds,
      ranges: splitRanges(keyKindOf(definition), sample, { rows: rows.count, bytes: bytes ?? 0, ranges }),
      bytesPerRow: bytesPerRow === null ? null : Math.round(bytesPerRow),
      expectedBytes: expectedBytes(rows.count, bytesPerRow),
      unusableChangedAt: unusable,
      warnings: [...warnings, ...warningsOf(loaded, zoneless, unusableWords(definition, unusable))].map(
        formatFault,
      ),
    };
  });
  const changing = await changingAtEachAsking(client, definition, { sample, work: limits });
  if (changing.length > 0)
    throw new Faults(changing.map((path) => loaded.faultAt(path, changingWords(path))));
  return plan;
}

function warningsOf(
  { definition, faultAt }: LoadedDefinition,
  zoneless: ReadonlyMap<string, string>,
  unusable: string | null,
): Fault[] {
  const { timeZone } = definition.source;
  return [
    ...[...zoneless].map(([name, shownBy]) =>
      faultAt(['document', name, 'sql'], zonelessWords(shownBy, timeZone)),
    ),
    ...(unusable === null ? [] : [faultAt(['source', 'changed_at'], unusable)]),
  ];
}

function changingWords(path: Path): string {
  const what = 'This is another value at each asking, so no index can be proved to hold it. ';
  return path[0] === 'document'
    ? `${what}Compute it from columns, or write the field as a map with compare: false: validation then leaves it out.`
    : `${what}Compute it from columns and constants.`;
}
