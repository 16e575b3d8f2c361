export type HttpMethod = 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';

export interface CallOptions {
  /** Milliseconds until the answer must begin. Long for calls that wait for the cluster's work. */
  readonly timeoutMs?: number;
  /**
   * False for a call that must not be made twice. It is made again only if it certainly had no effect. Its caller reads
   * the result back. Default: true.
   */
  readonly repeatable?: boolean;
  /** How long this call is tried again. 0: it is tried once. Absent: as long as any call. */
  readonly waitingTimeoutMs?: number;
  /** A mark by which the cluster's list of tasks shows who made the call (`X-Opaque-Id`). */
  readonly mark?: string;
  /** Called right before each try, repeats too. The Superseded error that it throws ends the call. */
  readonly beforeTry?: () => void;
  readonly signal?: AbortSignal;
}

/**
 * The calls to a search cluster that make up a run. Bodies are JSON, or newline-delimited JSON as a text. A status of
 * 400 or above throws a ClusterError with the cluster's words. A missing answer throws one of status 0.
 */
export interface SearchCalls {
  /** The URL without credentials, for messages. */
  readonly where: string;
  /** Makes a call and returns the answer's JSON. */
  call(method: HttpMethod, path: string, body?: unknown, options?: CallOptions): Promise<unknown>;
  /** Makes a call and returns the answer's text, in which numbers keep their digits. */
  callText(method: HttpMethod, path: string, body?: unknown, options?: CallOptions): Promise<string>;
  /** Like `call`, but null for 404. */
  callOrNull(method: HttpMethod, path: string, body?: unknown, options?: CallOptions): Promise<unknown>;
  /** Searches as a person would: how many documents were found, and the documents as JSON text. */
  search(index: string, body: unknown): Promise<{ total: number; sources: string[] }>;
}

/** Encodes a name as a part of a path. */
export function segment(name: string): string {
  return encodeURIComponent(name);
}
