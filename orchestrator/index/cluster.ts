import pRetry from 'p-retry';
import { Agent, type Dispatcher, errors, interceptors, request } from 'undici';
import { Superseded } from '../errors.ts';
import { ClusterError, read, refusal, unreachable } from './cluster-error.ts';
import { type Engine, engineOf } from './engine.ts';
import { type CallOptions, type HttpMethod, type SearchCalls, segment } from './search-calls.ts';

export interface ClusterOptions {
  readonly url: string;
  readonly username: string | null;
  readonly password: string | null;
  readonly apiKey: string | null;
}

/** The first answer must come within this time, so that a wrong address is named soon. */
const CONNECT_TIMEOUT_MS = 4_000;
const CALL_TIMEOUT_MS = 30_000;
const MOST_REPEATS = 5;
/** The pause before the first repeat. It doubles for each further one. */
const LEAST_PAUSE_MS = 250;
const REPEATING = interceptors.retry({
  maxRetries: MOST_REPEATS,
  minTimeout: LEAST_PAUSE_MS,
  maxTimeout: 5_000,
  timeoutFactor: 2,
  throwOnError: false,
  methods: ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'],
  statusCodes: [429, 502, 503, 504],
});

/**
 * The orchestrator's calls to OpenSearch or Elasticsearch. A repeatable call is made again, with back-off, when the
 * cluster is overloaded or a connection breaks.
 */
export class SearchCluster implements SearchCalls {
  readonly where: string;
  readonly engine: Engine;
  readonly #origin: string;
  readonly #headers: Record<string, string>;
  readonly #agent: Agent;

  private constructor(address: Address, agent: Agent, engine: Engine) {
    this.where = address.where;
    this.#origin = address.origin;
    this.#headers = address.headers;
    this.engine = engine;
    this.#agent = agent;
  }

  /**
   * Connects, and asks the cluster what it is. Throws a ClusterError within seconds that names the address and what to
   * do. A cluster may keep what it is to itself.
   */
  static async connect(options: ClusterOptions): Promise<SearchCluster> {
    const address = addressOf(options);
    const agent = new Agent({
      connections: 8,
      connect: { timeout: CONNECT_TIMEOUT_MS },
      bodyTimeout: 300_000,
    });
    try {
      const question = { method: 'GET', path: '/', body: null } as const;
      const { status, text } = await send(address, agent, question, { timeoutMs: CONNECT_TIMEOUT_MS });
      return new SearchCluster(address, agent, engineOf(address.where, status, parseJson(text)));
    } catch (error) {
      await agent.destroy();
      throw error;
    }
  }

  async call(
    method: HttpMethod,
    path: string,
    body: unknown = null,
    options: CallOptions = {},
  ): Promise<unknown> {
    return parseJson(await this.callText(method, path, body, options));
  }

  async callText(
    method: HttpMethod,
    path: string,
    body: unknown = null,
    options: CallOptions = {},
  ): Promise<string> {
    const { status, text } = await this.#send(method, path, body, options);
    if (status >= 400) throw refusal(`${method} ${path}`, status, parseJson(text));
    return text;
  }

  async callOrNull(
    method: HttpMethod,
    path: string,
    body: unknown = null,
    options: CallOptions = {},
  ): Promise<unknown> {
    const { status, text } = await this.#send(method, path, body, options);
    if (status === 404) return null;
    if (status >= 400) throw refusal(`${method} ${path}`, status, parseJson(text));
    return parseJson(text);
  }

  async search(index: string, body: unknown): Promise<{ total: number; sources: string[] }> {
    const answer = await this.call('POST', `/${segment(index)}/_search`, body);
    const hits = read(answer, 'hits');
    const list = read(hits, 'hits');
    return {
      total: Number(read(read(hits, 'total'), 'value') ?? 0),
      sources: Array.isArray(list) ? list.map((hit) => JSON.stringify(read(hit, '_source'))) : [],
    };
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  /**
   * Sends a call. undici repeats a call that is refused or has no answer. If an answer broke off, undici could only
   * resume it.
   */
  async #send(method: HttpMethod, path: string, body: unknown, options: CallOptions): Promise<Answer> {
    const address = { where: this.where, origin: this.#origin, headers: this.#headers };
    const asked = this.#agent.compose(asking(options.beforeTry));
    const message = { method, path, body };
    if (options.repeatable === false) return send(address, asked, message, options);
    const repeating = asked.compose(REPEATING);
    return pRetry(() => send(address, repeating, message, options), {
      retries: MOST_REPEATS,
      minTimeout: LEAST_PAUSE_MS,
      shouldRetry: ({ error }) => error instanceof BrokenAnswer,
      signal: options.signal,
    });
  }
}

interface Address {
  readonly where: string;
  readonly origin: string;
  readonly headers: Record<string, string>;
}

interface Message {
  readonly method: HttpMethod;
  readonly path: string;
  /** The body. Null when there is none. */
  readonly body: unknown;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

function addressOf({ url, username, password, apiKey }: ClusterOptions): Address {
  const parsed = new URL(url);
  const user = username ?? decodeURIComponent(parsed.username);
  const secret = password ?? decodeURIComponent(parsed.password);
  parsed.username = '';
  parsed.password = '';
  const origin = parsed.href.replace(/\/+$/, '');
  const authorization =
    apiKey !== null
      ? `ApiKey ${apiKey}`
      : user === ''
        ? null
        : `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`;
  return { where: origin, origin, headers: authorization === null ? {} : { authorization } };
}

/** An answer that began and did not end. Nobody knows what became of the call. */
class BrokenAnswer extends ClusterError {
  constructor(where: string, cause: unknown) {
    super(
      0,
      'unreachable',
      `search cluster at ${where}: the connection was cut in the middle of an answer (run the same command again)`,
      { cause },
    );
  }
}

/** Calls `beforeTry` right before each try. A process may have stood still for long in the pause between two tries. */
function asking(beforeTry: () => void = () => {}): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => {
    beforeTry();
    return dispatch(options, handler);
  };
}

async function send(
  address: Address,
  dispatcher: Dispatcher,
  { method, path, body }: Message,
  options: CallOptions,
): Promise<Answer> {
  let begun = false;
  try {
    const response = await request(`${address.origin}${path}`, {
      method,
      dispatcher,
      headers: {
        ...address.headers,
        accept: 'application/json',
        ...(body === null ? {} : { 'content-type': contentType(body) }),
      },
      headersTimeout: options.timeoutMs ?? CALL_TIMEOUT_MS,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...(body === null ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    begun = true;
    return { status: response.statusCode, text: await response.body.text() };
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof Superseded) throw error;
    throw begun && !isTimeout(error)
      ? new BrokenAnswer(address.where, error)
      : unreachable(address.where, error);
  }
}

/** Whether an answer that had begun took too long. */
function isTimeout(error: unknown): boolean {
  return error instanceof errors.BodyTimeoutError;
}

/** The content type. A text is already newline-delimited JSON. */
function contentType(body: unknown): string {
  return typeof body === 'string' ? 'application/x-ndjson' : 'application/json';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
