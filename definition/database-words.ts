/**
 * The database's words about a row, made safe to keep. PostgreSQL puts the values of a row into its messages, and a
 * function puts there what its author likes. Dead letters, logs and journals must not hold such values. Pure.
 */

/** What is looked at of an error of PostgreSQL. Source: PostgreSQL's manual, "Error and Notice Message Fields". */
export interface DatabaseSaying {
  readonly message: string;
  /** The SQLSTATE. */
  readonly code?: string | undefined;
  readonly detail?: string | undefined;
  /** The call stack of functions, if the error comes from within one. */
  readonly where?: string | undefined;
  /** The routine of PostgreSQL's source that reported the error. */
  readonly routine?: string | undefined;
}

/** Routines that report what a function's author wrote (RAISE and ASSERT). */
const AUTHORS_ROUTINES = new Set(['exec_stmt_raise', 'exec_stmt_assert']);
/** Classes of errors in functions of other languages, or in servers beyond. */
const AUTHORS_CLASSES = new Set(['38', '39', 'HV']);
const AUTHORS_CODES = new Set(['P0001', 'P0004']);
/**
 * Classes that speak of the server, the session or the definition, and never of a row: connection, feature, transaction
 * state, authorization, names, rollback, syntax and access, resources, object state, operators, system.
 */
const NEVER_OF_ROWS = new Set(['08', '0A', '25', '28', '3D', '3F', '40', '42', '53', '55', '57', '58']);

const CLASS_NAMES: Readonly<Record<string, string>> = {
  '21': 'cardinality violation',
  '22': 'data exception',
  '23': 'integrity constraint violation',
  '2F': 'SQL routine exception',
  '38': 'external routine exception',
  '39': 'external routine invocation exception',
  '54': 'program limit exceeded',
  HV: 'foreign data wrapper error',
  P0: 'error raised in a function',
  XX: 'internal error',
};

/** From a quotation mark to the last one of the message, in the marks of any language of PostgreSQL. */
const QUOTED = /["„“”«»‚‘’「].*["„“”«»‚‘’」]|["„“”«»‚‘’「].*$/s;
const BYTES = /\b0x[0-9a-f]{2}\b(?: 0x[0-9a-f]{2}\b)*/gi;
const LONG_NUMBERS = /\d{5,}/g;
const ELLIPSIS = '…';

/** Whether a function's author wrote the message. Then its SQLSTATE says nothing about the server either. */
export function saidByFunction({ code = '', where = '', routine = '' }: DatabaseSaying): boolean {
  const family = code.slice(0, 2);
  return (
    AUTHORS_ROUTINES.has(routine) ||
    AUTHORS_CLASSES.has(family) ||
    AUTHORS_CODES.has(code) ||
    /\bPL\/(?!pgSQL)/.test(where)
  );
}

/**
 * Whether an error of PostgreSQL may come from a row, and not from the server, the session or the definition. Then its
 * message may hold values of the row.
 */
export function mayComeFromRow(error: unknown): error is Error & DatabaseSaying {
  if (!(error instanceof Error) || !('severity' in error && 'code' in error)) return false;
  const { message, code, where, routine } = error as Error & DatabaseSaying;
  const saying = { message, code, where, routine };
  const ofServer = where === undefined && NEVER_OF_ROWS.has((code ?? '').slice(0, 2));
  return saidByFunction(saying) || !ofServer;
}

/** The kind of an error with its SQLSTATE, and the database's message as far as no value of a row can be in it. */
export function safeDatabaseWords(error: DatabaseSaying): string {
  const code = error.code ?? 'unknown';
  return `${safeMessage(error, code.slice(0, 2))}, SQLSTATE ${code}`;
}

/** All of the database's message, for fields whose values may be kept. */
export function fullDatabaseWords({ message, detail, code }: DatabaseSaying): string {
  return `${message}${detail === undefined ? '' : ` (${detail})`}, SQLSTATE ${code ?? 'unknown'}`;
}

function safeMessage(error: DatabaseSaying, family: string): string {
  if (saidByFunction(error))
    return `${CLASS_NAMES[family] ?? 'error raised in a function'}${inFunction(error)}`;
  if (error.where === undefined && NEVER_OF_ROWS.has(family)) return error.message;
  const said = error.message
    .replace(QUOTED, ELLIPSIS)
    .replace(BYTES, ELLIPSIS)
    .replace(LONG_NUMBERS, ELLIPSIS);
  return `${said.trim()}${inFunction(error)}`;
}

/** The innermost function's name. The rest of the call stack may quote statements with values. */
function inFunction({ where = '' }: DatabaseSaying): string {
  const [, name] = /^PL\/\w+ \S+ ([A-Za-z_][\w$.]*)\(/m.exec(where) ?? [];
  return name === undefined ? '' : ` in the function ${name}`;
}
