import type { DatabaseError } from 'pg';
import type { IndexDefinition } from '../../definition/definition.ts';
import { OID, TIMESTAMP_ARRAY_OID } from '../../definition/field-types.ts';
import { baseFrom, qualifiedKey } from '../../definition/sql.ts';
import type { Path } from '../../definition/yaml-file.ts';
import { withJoins } from './bounds.ts';
import { evaluatesSets, planOf } from './explain.ts';
import type { Inspection } from './inspection.ts';
import { warnOfUnsteadyCalls } from './steadiness.ts';
import { attempt } from './transaction.ts';

/** The code for a table that is not joined. It follows from a faulty join, and is no fault of its own. */
const UNDEFINED_TABLE = '42P01';

interface Expression {
  readonly path: Path;
  readonly sql: string;
}

/** What expressions are tried on. */
interface Trial {
  readonly inspection: Inspection;
  /** The definition with only those joins that work. */
  readonly joined: IndexDefinition;
  /**
   * Selected beside each expression, so that an aggregate over the table's rows is an error. It is the key, if there is
   * one.
   */
  readonly row: string;
}

/** Tries the table, each join and each expression alone, so that each fault is named in its own place. */
export async function inspectExpressions(inspection: Inspection): Promise<void> {
  const { definition } = inspection;
  const { table, where, changedAt, timeZone } = definition.source;
  const row = inspection.faultIn('source.key') ? '1' : qualifiedKey(definition);
  const base: Trial = { inspection, joined: withJoins(definition, []), row };
  if (!(await works(base, ['source', 'table'], table))) return;
  const trial = await inspectJoins(base);
  if (where !== null) await inspectWhere(trial, where);
  if (changedAt !== null) await inspectChangedAt(trial, changedAt);
  for (const { name, sql } of definition.document) {
    const path = ['document', name, 'sql'];
    const oid = await inspectExpression(trial, { path, sql });
    if (oid === TIMESTAMP_ARRAY_OID && timeZone !== 'UTC') inspection.fault(path, TIMESTAMP_ARRAY);
  }
}

/** Adds one join after the other. A faulty join is left out of what follows. */
async function inspectJoins(base: Trial): Promise<Trial> {
  let trial = base;
  for (const [i, join] of base.inspection.definition.source.joins.entries()) {
    const path: Path = ['source', 'joins', i];
    const { joins } = trial.joined.source;
    const left = { ...trial, joined: withJoins(trial.joined, [...joins, { ...join, on: 'true' }]) };
    const whole = { ...trial, joined: withJoins(trial.joined, [...joins, join]) };
    if (!(await works(left, [...path, 'left'], join.left))) continue;
    if (await works(whole, [...path, 'on'], join.on)) trial = whole;
  }
  return trial;
}

async function works({ inspection, joined, row }: Trial, path: Path, part: string): Promise<boolean> {
  const statement = `SELECT ${row} ${baseFrom(joined)} LIMIT 0`;
  const { error } = await attempt(inspection.client, statement);
  if (error !== null) inspection.databaseFault(path, error, statement, part);
  return error === null;
}

/** Also tries it in a WHERE, where the database itself refuses aggregates and sets. */
async function inspectWhere(trial: Trial, sql: string): Promise<void> {
  const { inspection, joined, row } = trial;
  const path = ['source', 'where'];
  const statement = `SELECT ${row} ${baseFrom(joined)}\nWHERE (\n${sql}\n) LIMIT 0`;
  const { error } = await attempt(inspection.client, statement);
  if (error === null)
    await inspectExpression(
      trial,
      { path, sql },
      { oids: [OID.bool], otherwise: 'Write a condition, which is boolean.' },
    );
  else if (!followsFromJoin(trial, error)) inspection.databaseFault(path, error, statement, sql);
}

async function inspectChangedAt(trial: Trial, sql: string): Promise<void> {
  const times = {
    oids: [OID.timestamptz, OID.timestamp],
    otherwise: 'Write one of type timestamptz (or timestamp).',
  };
  await inspectExpression(trial, { path: ['source', 'changed_at'], sql }, times);
}

/** The types that an expression may have, and what to write if it has another type. */
interface Expected {
  readonly oids: readonly number[];
  readonly otherwise: string;
}

/**
 * Requires one column with one value for each row, of an expected type. Returns its type. Null when the expression is
 * faulty.
 */
async function inspectExpression(
  { inspection, joined, row }: Trial,
  { path, sql }: Expression,
  expected: Expected | null = null,
): Promise<number | null> {
  const rows = `SELECT (\n${sql}\n), ${row} ${baseFrom(joined)}`;
  const { result, error } = await attempt(inspection.client, `${rows} LIMIT 0`);
  if (error !== null) {
    if (!followsFromJoin({ inspection, joined, row }, error))
      inspection.databaseFault(path, error, rows, sql);
    return null;
  }
  const [column, beside, more] = result.fields;
  if (column === undefined || beside === undefined || more !== undefined) {
    inspection.fault(path, 'These are several expressions: write one.');
    return null;
  }
  if (expected !== null && !expected.oids.includes(column.dataTypeID)) {
    inspection.fault(path, `This expression is of another type. ${expected.otherwise}`);
  }
  const plan = await planOf(inspection.client, rows, 'VERBOSE, ');
  if (evaluatesSets(plan)) inspection.fault(path, SETS);
  if (!isLeftOut(inspection, path)) await warnOfUnsteadyCalls(inspection, { path, sql }, plan);
  return column.dataTypeID;
}

/** Whether validation does not compare a field. */
function isLeftOut({ definition }: Inspection, [section, name]: Path): boolean {
  return (
    section === 'document' &&
    definition.document.some((field) => field.name === name && field.compare === false)
  );
}

const TIMESTAMP_ARRAY =
  'Arrays of timestamp without time zone are read in UTC only, but time_zone is another zone: make it timestamptz[] here.';

const SETS =
  'This gives a set of rows, or looks at other rows (a window). Each row of the table is one document, read alone: ' +
  'make one value of it, such as array(SELECT …), or join it as LATERAL (SELECT …) AS child.';

/**
 * Whether an error only follows from a faulty join. What such a join would bring is missing everywhere, and naming that
 * again would hide the cause.
 */
function followsFromJoin({ inspection, joined }: Trial, error: DatabaseError): boolean {
  return (
    error.code === UNDEFINED_TABLE && joined.source.joins.length < inspection.definition.source.joins.length
  );
}
