import { answerWords, oneLine } from '../../definition/answer-words.ts';
import { Failure, moveAfterStatus, type NextMove } from '../../definition/failure.ts';
import { signedRequestsAdvice } from '../../definition/signed-requests.ts';
import { privilegeWords } from './privileges.ts';

/** The search cluster did not answer as asked. The message has the cluster's own words. */
export class ClusterError extends Failure {
  override readonly name = 'ClusterError';
  override readonly move: NextMove;
  /** The HTTP status. 0 means that there was no answer. */
  readonly status: number;
  /** The cluster's `error.type`, or `unreachable` without an answer. */
  readonly type: string;
  /** The pause that the cluster asks for with `Retry-After`. Null when it asks for none. */
  readonly retryAfterMs: number | null;

  /** @param options `move` where the status alone does not say it */
  constructor(
    status: number,
    type: string,
    message: string,
    options: ErrorOptions & { readonly move?: NextMove; readonly retryAfterMs?: number | null } = {},
  ) {
    super(message, options);
    this.move = options.move ?? moveAfterStatus(status);
    this.retryAfterMs = options.retryAfterMs ?? null;
    this.status = status;
    this.type = type;
  }

  /** The same failure with more words. */
  withMessage(message: string): ClusterError {
    const { status, type, move, cause, retryAfterMs } = this;
    return new ClusterError(status, type, message, { move, cause, retryAfterMs });
  }
}

/** Whether the cluster refused something with an error of this type. */
export function isClusterError(error: unknown, type: string): error is ClusterError {
  return error instanceof ClusterError && error.type === type;
}

/** What a person does about a refusal that has to do with who asks. Null for every other refusal. */
function adviceOn(call: string, status: number, type: string, reason: string): string | null {
  // A block says so itself. It is a setting of the index or the cluster, and no matter of who asks.
  if (type === 'cluster_block_exception') return null;
  if (status !== 401 && status !== 403) return null;
  const signed = signedRequestsAdvice(reason);
  if (signed !== null) return signed;
  if (status === 401) return 'set target.username and REINDEX_TARGET_PASSWORD, or REINDEX_TARGET_API_KEY';
  const missing = privilegeWords(call);
  return missing === null
    ? 'this user lacks the permission: ask for one that may manage and write the indexes of the alias'
    : `this user lacks ${missing}`;
}

/**
 * Makes an error from the body of a refusal: a cluster's `{"error": {"type", "reason"}}`, or whatever a gateway before it
 * says. A `_delete_by_query` has the words in `failures`.
 */
export function refusal(
  call: string,
  status: number,
  body: unknown,
  retryAfterMs: number | null = null,
): ClusterError {
  const error = read(body, 'error') ?? read(firstOf(read(body, 'failures')), 'cause');
  const root = firstOf(read(error, 'root_cause')) ?? error;
  const type = textOf(read(error, 'type')) ?? `status_${status}`;
  const own = textOf(read(root, 'reason')) ?? textOf(read(error, 'reason'));
  const reason = own ?? answerWords(body) ?? 'without a reason';
  const advice = adviceOn(call, status, type, reason);
  return new ClusterError(
    status,
    type,
    `${call}: ${status} ${type}: ${own === undefined ? reason : oneLine(reason)}${advice === null ? '' : ` (${advice})`}`,
    { retryAfterMs },
  );
}

const UNREACHABLE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there: start the cluster, or correct target.url',
  ENOTFOUND: 'this host does not exist: correct target.url',
  ECONNRESET: 'the connection was cut: check whether target.url wants https',
  UND_ERR_SOCKET: 'the connection was cut: check whether target.url wants https',
  UND_ERR_CONNECT_TIMEOUT: 'no answer: check target.url and the network to it',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time: check the cluster’s health',
  UND_ERR_BODY_TIMEOUT: 'no answer in time: check the cluster’s health',
};

/** Makes the error for a call without an answer. `where` is the URL without credentials. */
export function unreachable(where: string, error: unknown): ClusterError {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const advice = UNREACHABLE[code] ?? 'check target.url and that the cluster can be reached from here';
  return new ClusterError(
    0,
    'unreachable',
    `search cluster at ${where}: ${message === '' ? code : message} (${advice})`,
    { cause: error },
  );
}

export function read(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function firstOf(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
