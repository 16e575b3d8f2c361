import { DatabaseError } from 'pg';
import type { IndexDefinition } from '../../definition/definition.ts';
import { TaskFailure } from '../task-failure.ts';

/**
 * What an error of the database means for the reading of a range. SQLSTATE: PostgreSQL's manual, "PostgreSQL Error Codes".
 * `again`: reading goes on behind the last row once the database can be reached. `row`: a row breaks its evaluation.
 */
export type Verdict = 'again' | 'row' | TaskFailure;

/**
 * Classes that pass by themselves: connection exceptions, transaction rollback (also a replica's recovery conflicts),
 * insufficient resources, operator intervention (cancelled, shut down, timed out), system errors.
 */
const PASSING_CLASSES = new Set(['08', '40', '53', '57', '58']);
/** lock_not_available, idle_in_transaction_session_timeout, transaction_timeout. */
const PASSING_CODES = new Set(['55P03', '25P03', '25P04']);
const DATABASE_DROPPED = '57P04';
const READ_ONLY_TRANSACTION = '25006';

const DATA_EXCEPTION = '22';
/** Invalid authorization, no such database, no such schema, syntax error or access rule violation. */
const LASTING_CLASSES = new Set(['28', '3D', '3F', '42']);
const LASTING_CODES = new Set([DATABASE_DROPPED, READ_ONLY_TRANSACTION]);
const ACCESS_CODES = new Set(['28000', '28P01', '42501']);

export function verdictOn(error: unknown, definition: IndexDefinition): Verdict {
  if (error instanceof TaskFailure) return error;
  if (!(error instanceof Error))
    return failure(definition, { next: 'retry', type: 'internal', message: String(error) });
  if (!(error instanceof DatabaseError)) return verdictOnConnection(error, definition);
  const code = error.code ?? '';
  const family = code.slice(0, 2);
  if (family === DATA_EXCEPTION) return 'row';
  if (code !== DATABASE_DROPPED && (PASSING_CLASSES.has(family) || PASSING_CODES.has(code))) return 'again';
  const lasting = LASTING_CLASSES.has(family) || LASTING_CODES.has(code);
  return failure(definition, {
    next: lasting ? 'stop' : 'retry',
    type: code,
    message: `${describeError(error)}. ${adviceOn(code)}`,
    cause: error,
  });
}

/** The database's message with its SQLSTATE. */
export function describeError(error: DatabaseError): string {
  return `${error.message}${error.detail === undefined ? '' : ` (${error.detail})`}, SQLSTATE ${error.code ?? 'unknown'}`;
}

/** A failure that no row causes: it also comes with an empty range. */
export function faultyExpression(error: DatabaseError, definition: IndexDefinition): TaskFailure {
  const message = `${describeError(error)}. An expression of the definition fails for every row. Mend it and plan again.`;
  return failure(definition, {
    next: 'stop',
    type: error.code ?? 'faulty_expression',
    message,
    cause: error,
  });
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
  readonly cause?: Error;
}

function failure({ name, source }: IndexDefinition, { next, type, message, cause }: Fault): TaskFailure {
  return new TaskFailure(next, type, `Reading ${source.table} for the definition "${name}": ${message}`, {
    cause,
  });
}
