import { PINNED_SETTINGS, setLocal } from './sql.ts';

/** Limits of one reading transaction. They stand above those of the role and of the server. */
export interface ReadingLimits {
  /** PostgreSQL's statement_timeout. 0: none. */
  readonly statementTimeoutMs: number;
  /** PostgreSQL's lock_timeout: how long to stand behind, say, an ALTER TABLE. 0: without end. */
  readonly lockTimeoutMs: number;
}

/** Nothing keeps a transaction open between two statements for longer than a moment. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000;

/**
 * Begins the transaction in which documents are made, counted or compared. It only reads, and sees one snapshot. Workers,
 * plan and validation all begin like this. So what a role, a database or a server sets by default changes no value, and
 * ends none of them where it would not end the others.
 */
export function beginReading({ statementTimeoutMs, lockTimeoutMs }: ReadingLimits): string {
  const settings = setLocal({
    ...PINNED_SETTINGS,
    statement_timeout: String(statementTimeoutMs),
    lock_timeout: String(lockTimeoutMs),
    idle_in_transaction_session_timeout: String(IDLE_IN_TRANSACTION_TIMEOUT_MS),
    // Compiling an expression costs more than the few rows of a range give back.
    jit: 'off',
  });
  return `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${settings}; ${NO_TRANSACTION_TIMEOUT}`;
}

/** PostgreSQL knows transaction_timeout from version 17 on, and refuses to set what it does not know. */
const NO_TRANSACTION_TIMEOUT = `SELECT set_config('transaction_timeout', '0', true) WHERE current_setting('transaction_timeout', true) IS NOT NULL`;
