import type { DescribedDefinition, IndexDefinition } from '../../definition/definition.ts';
import { describeDefinition } from '../../definition/describe.ts';
import { digestTypes } from '../../definition/digest.ts';
import { describedTarget, readingColumns } from '../../definition/reading.ts';
import type { ClientBase } from 'pg';
import type { KeyBytes } from '../key/key-bytes.ts';
import { TaskFailure } from '../task-failure.ts';
import type { Position } from './position.ts';
import type { RowLayout } from './row.ts';

/** A definition as the run was planned with it. */
export interface PlannedDefinition {
  readonly definition: IndexDefinition;
  /** The digest of its columns' types. */
  readonly typesDigest: string;
}

export interface ReadRequest {
  /** Its table, joins and fields are read. */
  readonly reading: PlannedDefinition;
  /** What is read for, each with a `where` and fields of its own. */
  readonly targets: readonly PlannedDefinition[];
  /** Where reading stands; it moves with each row that is handed on, and its end may be moved down at any time. */
  readonly position: Position;
  /** Only rows that changed at this time or later are read, in ISO 8601. Absent: all rows are. */
  readonly changedSince?: string | undefined;
}

/** A reading and its targets with the types that the database has. */
export interface DescribedReading {
  readonly reading: DescribedDefinition;
  readonly targets: readonly DescribedDefinition[];
}

/**
 * Asks the database for the types of a reading, in the caller's transaction.
 * @throws TaskFailure when they are no longer those that the run was planned with
 */
export async function describeReading(client: ClientBase, request: ReadRequest): Promise<DescribedReading> {
  const reading = await describeDefinition(client, request.reading.definition);
  requireTypes(reading, request.reading);
  const targets = request.targets.map((target) => {
    const described = describedTarget(reading, target.definition);
    requireTypes(described, target);
    return described;
  });
  return { reading, targets };
}

function requireTypes(described: DescribedDefinition, { definition, typesDigest }: PlannedDefinition): void {
  if (digestTypes(described) === typesDigest) return;
  throw new TaskFailure(
    'stop',
    'columns_changed',
    `The types of the columns that the definition "${definition.name}" reads from ${definition.source.table} are no longer those of the plan. Begin a new run.`,
  );
}

/** How the rows of a described reading are laid out. */
export function rowLayout({ reading, targets }: DescribedReading, keys: KeyBytes): RowLayout {
  const { wheres, fields } = readingColumns(
    reading,
    targets.map(({ definition }) => definition),
  );
  const hasChangedAt = reading.definition.source.changedAt !== null;
  return { keys, wheres: wheres.length, hasChangedAt, fields: fields.length };
}

/** Rows above this are not held in memory: they exceed what each target and the reading itself allow. */
export function maxRowBytes({ reading, targets }: DescribedReading): number {
  return Math.max(...[reading, ...targets].map(({ definition }) => definition.maxDocumentBytes));
}
