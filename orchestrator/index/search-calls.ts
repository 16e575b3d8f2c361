export type HttpMethod = 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';

export interface CallOptions {
  /** Milliseconds until the answer must have begun; long for calls that wait for the cluster's work. */
  readonly timeoutMs?: number;
  /** False for calls that must not be made twice; their caller reads back what became of them. Default: true. */
  readonly repeatable?: boolean;
  /** Asked right before each try, the repeats too; the Superseded error that it throws ends the call. */
  readonly beforeTry?: () => void;
  readonly signal?: AbortSignal;
}

/**
 * The calls to a search cluster of which a run is made. Bodies are JSON, or newline-delimited JSON as a text. They
 * throw a ClusterError in the cluster's words for any status of 400 and above, and one of status 0 without an answer.
 */
export interface SearchCalls {
  /** The URL without credentials, for messages. */
  readonly where: string;
  /** The answer's JSON. */
  call(method: HttpMethod, path: string, body?: unknown, options?: CallOptions): Promise<unknown>;
  /** The answer's own text, in which numbers keep their digits. */
  callText(method: HttpMethod, path: string, body?: unknown, options?: CallOptions): Promise<string>;
  /** As `call`, but null where there is nothing (404). */
  callOrNull(method: HttpMethod, path: string, body?: unknown, options?: CallOptions): Promise<unknown>;
  /** A search as a person would make it: how many were found, and the documents as JSON text. */
  search(index: string, body: unknown): Promise<{ total: number; sources: string[] }>;
}

/** A name as a part of a path. */
export function segment(name: string): string {
  return encodeURIComponent(name);
}
