import { Agent, errors, request } from 'undici';
import { Superseded } from '../errors.ts';
import { ClusterError, isClusterError, read, refusal, unreachable } from './cluster-error.ts';
import { type Engine, engineOf } from './engine.ts';
import { foreignAnswer, isForeign } from './foreign-answer.ts';
import { hadNoEffect, isPassing, type Patience, patiently } from './patience.ts';
import { type CallOptions, type HttpMethod, type SearchCalls, segment } from './search-calls.ts';

export interface ClusterOptions {
  readonly url: string;
  readonly username: string | null;
  readonly password: string | null;
  readonly apiKey: string | null;
  /** How long a call is tried again. Absent: some minutes. */
  readonly waitingTimeoutMs?: number;
  /** Called with what a call waits for. */
  readonly onWait?: (words: string) => void;
}

/** The first answer must come within this time, so that a wrong address is named soon. */
const CONNECT_TIMEOUT_MS = 4_000;
/** At first, a page in place of an answer is mostly a wrong address. */
const PAGE_TIMEOUT_MS = 2_000;
const CALL_TIMEOUT_MS = 30_000;
const WAITING_TIMEOUT_MS = 300_000;

/**
 * The orchestrator's calls to OpenSearch or Elasticsearch. A call is made again, for as long as the settings allow, when
 * the cluster is overloaded, a gateway gives up, or a connection breaks.
 */
export class SearchCluster implements SearchCalls {
  readonly where: string;
  readonly engine: Engine;
  readonly #origin: string;
  readonly #headers: Record<string, string>;
  readonly #agent: Agent;
  readonly #patience: Patience;

  private constructor(address: Address, agent: Agent, patience: Patience, engine: Engine) {
    this.where = address.where;
    this.#origin = address.origin;
    this.#headers = address.headers;
    this.#patience = patience;
    this.engine = engine;
    this.#agent = agent;
  }

  /**
   * Connects, and asks the cluster what it is. If nothing answers there, it throws a ClusterError within seconds that
   * names the address and what to do. It waits for a cluster that says that it is overloaded. A cluster may keep what it
   * is to itself.
   */
  static async connect(options: ClusterOptions): Promise<SearchCluster> {
    const address = addressOf(options);
    const agent = new Agent({
      connections: 8,
      connect: { timeout: CONNECT_TIMEOUT_MS },
      bodyTimeout: 300_000,
    });
    const { waitingTimeoutMs = WAITING_TIMEOUT_MS, onWait } = options;
    const patience = { waitingTimeoutMs, onWait };
    const question = { method: 'GET', path: '/', body: null } as const;
    const ask = async (): Promise<Answer> => {
      const answer = await askUntilOwn(address, () =>
        send(address, agent, question, { timeoutMs: CONNECT_TIMEOUT_MS }),
      );
      const error = refused(`search cluster at ${address.where}`, answer);
      if (answer.status !== 200 && isPassing(error)) throw error;
      return answer;
    };
    try {
      const { status, text } = await patiently(
        ask,
        patience,
        (error) => isPassing(error) && error.status !== 0,
      );
      return new SearchCluster(address, agent, patience, engineOf(address.where, status, parseJson(text)));
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
    return this.#send({ method, path, body }, options);
  }

  async callOrNull(
    method: HttpMethod,
    path: string,
    body: unknown = null,
    options: CallOptions = {},
  ): Promise<unknown> {
    try {
      return parseJson(await this.#send({ method, path, body }, options));
    } catch (error) {
      if (error instanceof ClusterError && error.status === 404) return null;
      throw error;
    }
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

  /** Sends a call until it is answered. `beforeTry` precedes each try, because a process may stand still before it. */
  #send(message: Message, options: CallOptions): Promise<string> {
    const address = { where: this.where, origin: this.#origin, headers: this.#headers };
    const isAgain = options.repeatable === false ? hadNoEffect : isPassing;
    const ask = async (): Promise<string> => {
      options.beforeTry?.();
      const answer = await send(address, this.#agent, message, options);
      const call = `${message.method} ${message.path}`;
      if (isForeign(answer)) throw foreignAnswer(this.where, call, answer);
      if (answer.status >= 400) throw refused(call, answer);
      return answer.text;
    };
    const { waitingTimeoutMs = this.#patience.waitingTimeoutMs } = options;
    return patiently(ask, { ...this.#patience, waitingTimeoutMs }, isAgain, options.signal);
  }
}

/**
 * Asks again for a moment while a page answers in place of the cluster, as a gateway's does during a change. If the page
 * stays, it is the answer: the address is wrong.
 */
async function askUntilOwn({ where }: Address, ask: () => Promise<Answer>): Promise<Answer> {
  const askOnce = async (): Promise<Answer> => {
    const answer = await ask();
    if (isForeign(answer)) throw foreignAnswer(where, 'GET /', answer);
    return answer;
  };
  const isPage = (error: unknown): boolean => isClusterError(error, 'foreign_answer');
  try {
    return await patiently(askOnce, { waitingTimeoutMs: PAGE_TIMEOUT_MS }, isPage);
  } catch (error) {
    if (isPage(error)) return ask();
    throw error;
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
  /** The pause that `Retry-After` asks for. */
  readonly retryAfterMs: number | null;
}

function refused(call: string, { status, text, retryAfterMs }: Answer): ClusterError {
  return refusal(call, status, parseJson(text), retryAfterMs);
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

async function send(
  address: Address,
  dispatcher: Agent,
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
        ...(options.mark === undefined ? {} : { 'x-opaque-id': options.mark }),
        ...(body === null ? {} : { 'content-type': contentType(body) }),
      },
      headersTimeout: options.timeoutMs ?? CALL_TIMEOUT_MS,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...(body === null ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    begun = true;
    const retryAfterMs = pauseOf(response.headers['retry-after']);
    return { status: response.statusCode, text: await response.body.text(), retryAfterMs };
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof Superseded) throw error;
    throw begun && !isTimeout(error)
      ? new BrokenAnswer(address.where, error)
      : unreachable(address.where, error);
  }
}

/** The pause of a `Retry-After`, which is seconds or a time. */
function pauseOf(value: string | string[] | undefined): number | null {
  const text = Array.isArray(value) ? value[0] : value;
  if (text === undefined) return null;
  const ms = /^\d+$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? ms : null;
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
