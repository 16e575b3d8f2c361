import { Pool } from 'undici';
import { retryAfterMs } from '../../backoff.ts';

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

const CONNECT_TIMEOUT_MS = 5_000;
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]);
/** What of each item is needed to match it with what was sent. */
const FILTER_PATH = [
  '_id',
  '_index',
  'status',
  'result',
  'error.type',
  'error.reason',
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
  readonly #pool: Pool;
  readonly #prefix: string;
  readonly #headers: Record<string, string>;
  readonly #timeoutMs: number;

  constructor(settings: SearchSettings) {
    const url = new URL(settings.url);
    this.#prefix = url.pathname.replace(/\/+$/, '');
    this.#timeoutMs = settings.requestTimeoutMs;
    this.#headers = { 'content-type': 'application/x-ndjson' };
    if (settings.authorization !== null) this.#headers['authorization'] = settings.authorization;
    // The time limit below covers the whole exchange; undici's own would end a slow but living one in between.
    this.#pool = new Pool(url.origin, {
      connections: settings.connections,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { timeout: CONNECT_TIMEOUT_MS },
    });
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
  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #exchange(path: string, body: Buffer, signal: AbortSignal): Promise<BulkAnswer> {
    const response = await this.#pool.request({
      method: 'POST',
      path: this.#prefix + path,
      headers: this.#headers,
      body,
      signal,
    });
    const header = response.headers['retry-after'];
    const wait = retryAfterMs(Array.isArray(header) ? header[0] : header, Date.now());
    return {
      kind: 'answered',
      status: response.statusCode,
      body: Buffer.from(await response.body.arrayBuffer()),
      retryAfterMs: wait,
    };
  }
}

function failureOf(error: unknown): BulkAnswer {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const message = error instanceof Error && error.message !== '' ? error.message : code;
  return { kind: UNREACHABLE.has(code) ? 'unreachable' : 'reset', message };
}
