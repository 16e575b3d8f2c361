import { DatabaseError } from 'pg';
import { safeDatabaseWords, saidByFunction } from '../../definition/database-words.ts';
import type { IndexDefinition } from '../../definition/definition.ts';
import { messageOf } from '../message-of.ts';
import { TaskFailure } from '../task-failure.ts';

/**
 * What an error of the database means for the reading of a range. SQLSTATE: PostgreSQL's manual, "PostgreSQL Error Codes".
 * `again`: reading goes on behind the last row once the database can be reached.
 */
export type Verdict = 'again' | TaskFailure;

/**
 * Classes that pass by themselves: connection exceptions, transaction rollback (also a replica's recovery conflicts),
 * insufficient resources, operator intervention (cancelled, shut down, timed out), system errors.
 */
const PASSING_CLASSES = new Set(['08', '40', '53', '57', '58']);
/** lock_not_available, idle_in_transaction_session_timeout, transaction_timeout. */
const PASSING_CODES = new Set(['55P03', '25P03', '25P04']);
const DATABASE_DROPPED = '57P04';
const READ_ONLY_TRANSACTION = '25006';

/** Conflicts with what others do at the moment: transaction rollback, and objects in use. A row alone causes none. */
const CONFLICTS = new Set(['40', '55']);
const FATAL_SEVERITIES = new Set(['FATAL', 'PANIC']);

/** Invalid authorization, no such database, no such schema, syntax error or access rule violation. */
const LASTING_CLASSES = new Set(['28', '3D', '3F', '42']);
const LASTING_CODES = new Set([DATABASE_DROPPED, READ_ONLY_TRANSACTION]);
/** What an expression does on values: cardinality, data, constraints, routines. */
const EXPRESSION_CLASSES = new Set(['21', '22', '23', '2F', '38', '39', 'P0']);
const ACCESS_CODES = new Set(['28000', '28P01', '42501']);

export function verdictOn(error: unknown, definition: IndexDefinition): Verdict {
  if (error instanceof TaskFailure) return error;
  if (!(error instanceof Error))
    return failure(definition, { next: 'retry', type: 'internal', message: String(error) });
  if (!(error instanceof DatabaseError)) return verdictOnConnection(error, definition);
  if (isPassing(error)) return 'again';
  const code = error.code ?? '';
  const family = code.slice(0, 2);
  if (EXPRESSION_CLASSES.has(family)) return faultyExpression(error, definition, null);
  const lasting = LASTING_CLASSES.has(family) || LASTING_CODES.has(code);
  return failure(definition, {
    next: lasting ? 'stop' : 'retry',
    type: code,
    message: `${safeDatabaseWords(error)}. ${adviceOn(code)}`,
  });
}

/** Whether an error passes by itself, by what its SQLSTATE says. */
export function isPassing({ code = '' }: DatabaseError): boolean {
  return code !== DATABASE_DROPPED && (PASSING_CLASSES.has(code.slice(0, 2)) || PASSING_CODES.has(code));
}

/**
 * Whether a row may have broken a COPY, so that it is worth looking for it. What ends the session is no row's doing. Of
 * the errors that pass by themselves, only one that comes back each time may be a row's, or one that a function raised.
 */
export function mayBeOfRow(error: DatabaseError, comesBack: boolean): boolean {
  if (FATAL_SEVERITIES.has(error.severity ?? '')) return false;
  if (!isPassing(error) || saidByFunction(error)) return true;
  return comesBack && !CONFLICTS.has((error.code ?? '').slice(0, 2));
}

/**
 * A failure that no single row causes: it comes with every row.
 * @param key one of the rows that it came with; null: it also comes without rows
 */
export function faultyExpression(
  error: DatabaseError,
  definition: IndexDefinition,
  key: string | null,
): TaskFailure {
  const rows = key === null ? 'every row' : `every row that was tried, the row of key ${key} among them`;
  const code = error.code ?? 'faulty_expression';
  const advice = key === null || !LASTING_CODES.has(code) ? 'Mend it and plan again.' : adviceOn(code);
  return failure(definition, {
    next: 'stop',
    type: code,
    message: `${safeDatabaseWords(error)}. An expression of the definition fails for ${rows}. ${advice}`,
  });
}

/** A failure of an expression that breaks rows at one time and not at another. */
export function unstableExpression(
  error: DatabaseError,
  definition: IndexDefinition,
  key: string,
): TaskFailure {
  return failure(definition, {
    next: 'stop',
    type: error.code ?? 'unstable_expression',
    message: `${safeDatabaseWords(error)}. An expression of the definition fails for a row at one time and not at another, last for the row of key ${key}. Write one that always says the same, and plan again.`,
  });
}

/**
 * Why reading waits, as a clause for a person.
 * @param lastKey the last key that was read; null: none was
 */
export function waitingWords(error: unknown, lastKey: string | null): string {
  const words = error instanceof DatabaseError ? safeDatabaseWords(error) : messageOf(error);
  return `${words} (${lastKey === null ? 'before the first row' : `behind key ${lastKey}`})`;
}

function verdictOnConnection(error: Error, definition: IndexDefinition): Verdict {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const refusesTls =
    /CERT|_TLS_|_SSL_|SELF_SIGNED|UNABLE_TO_/.test(code) || error.message.includes('does not support SSL');
  const refusesPassword =
    error.message.startsWith('SASL') || error.message.includes('password must be a string');
  if (!refusesTls && !refusesPassword)
    return isProgrammingError(error)
      ? failure(definition, { next: 'retry', type: 'internal', message: error.message, cause: error })
      : 'again';
  const message = `${error.message}. ${adviceOn('28000')}`;
  return failure(definition, { next: 'stop', type: 'database_refused', message, cause: error });
}

function isProgrammingError(error: Error): boolean {
  return error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
}

function adviceOn(code: string): string {
  if (ACCESS_CODES.has(code))
    return "Mend the worker's database settings or the role's permissions, then run again.";
  if (code.startsWith('3D') || code === DATABASE_DROPPED)
    return "Mend the worker's database settings, then run again.";
  if (code.startsWith('42') || code.startsWith('3F'))
    return 'The database no longer fits the definition. Plan again.';
  if (code === READ_ONLY_TRANSACTION)
    return 'An expression of the definition writes to the database. Change it so that it only reads.';
  return 'This error may not go away by itself. Look at the log of the database.';
}

interface Fault {
  readonly next: 'retry' | 'stop';
  readonly type: string;
  readonly message: string;
  /** No error of the database, whose words may hold values. */
  readonly cause?: Error;
}

function failure({ name, source }: IndexDefinition, { next, type, message, cause }: Fault): TaskFailure {
  return new TaskFailure(next, type, `Reading ${source.table} for the definition "${name}": ${message}`, {
    cause,
  });
}
