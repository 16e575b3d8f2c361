import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { retryAfterMs } from '../../backoff.ts';
import { exchange } from '../../http-exchange.ts';

/** How to reach the search cluster. */
export interface SearchSettings {
  /** `http(s)://host:port[/path]`, without credentials. */
  readonly url: string;
  /** The `Authorization` header; null: none. */
  readonly authorization: string | null;
  /** A request without its whole answer after this time counts as lost. */
  readonly requestTimeoutMs: number;
  /** Open connections at most. */
  readonly connections: number;
}

/** How one `_bulk` request ended. */
export type BulkAnswer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly body: Buffer;
      readonly retryAfterMs: number | null;
    }
  /** No answer in time; the cluster may still execute it. */
  | { readonly kind: 'timeout'; readonly message: string }
  /** The connection was cut; whether the cluster executed it is unknown. */
  | { readonly kind: 'reset'; readonly message: string }
  /** No connection could be made. */
  | { readonly kind: 'unreachable'; readonly message: string };

/** Something on the way may forget a connection that is idle for longer. */
const IDLE_TIMEOUT_MS = 4_000;
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
]);
/** What of each item is needed to match it with what was sent. */
const FILTER_PATH = [
  '_id',
  '_index',
  'status',
  'result',
  'error.type',
  'error.reason',
  'error.caused_by.type',
  'error.caused_by.reason',
].map((name) => `items.*.${name}`);

/** `POST /<alias>/_bulk`: only through an alias, so that no index is ever made by writing, and through the named pipeline only. */
export function bulkPath(alias: string, pipeline: string | null): string {
  const filter = ['took', 'errors', ...FILTER_PATH].join(',');
  const name = encodeURIComponent(pipeline ?? '_none');
  return `/${encodeURIComponent(alias)}/_bulk?require_alias=true&pipeline=${name}&filter_path=${filter}`;
}

/** The worker's connections to the search cluster, kept open between bulks and tasks. */
export class BulkClient {
  readonly #agent: Agent;
  readonly #base: string;
  readonly #headers: Record<string, string>;
  readonly #timeoutMs: number;

  constructor(settings: SearchSettings) {
    const url = new URL(settings.url);
    this.#base = url.origin + url.pathname.replace(/\/+$/, '');
    this.#timeoutMs = settings.requestTimeoutMs;
    this.#headers = { 'content-type': 'application/x-ndjson' };
    if (settings.authorization !== null) this.#headers['authorization'] = settings.authorization;
    const options = { keepAlive: true, maxSockets: settings.connections, timeout: IDLE_TIMEOUT_MS };
    this.#agent = url.protocol === 'https:' ? new SecureAgent(options) : new Agent(options);
  }

  /** Sends the bytes as they stand, without a copy. Rejects with the signal's reason, and only when that is aborted. */
  async send(path: string, body: Buffer, signal: AbortSignal): Promise<BulkAnswer> {
    signal.throwIfAborted();
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), this.#timeoutMs);
    const giveUp = (): void => timeout.abort();
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      return await this.#exchange(path, body, timeout.signal);
    } catch (error) {
      signal.throwIfAborted();
      if (timeout.signal.aborted)
        return { kind: 'timeout', message: `no answer within ${this.#timeoutMs} ms` };
      return failureOf(error);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
    }
  }

  /** Ends all connections, those in use too. */
  close(): Promise<void> {
    this.#agent.destroy();
    return Promise.resolve();
  }

  async #exchange(path: string, body: Buffer, signal: AbortSignal): Promise<BulkAnswer> {
    const answer = await exchange({
      url: new URL(this.#base + path),
      method: 'POST',
      headers: this.#headers,
      body,
      agent: this.#agent,
      signal,
    });
    return {
      kind: 'answered',
      status: answer.status,
      body: answer.body,
      retryAfterMs: retryAfterMs(answer.headers['retry-after'], Date.now()),
    };
  }
}

function failureOf(error: unknown): BulkAnswer {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const message = error instanceof Error && error.message !== '' ? error.message : code;
  return { kind: UNREACHABLE.has(code) ? 'unreachable' : 'reset', message };
}
