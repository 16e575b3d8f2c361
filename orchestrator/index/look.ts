import { ClusterError } from './cluster-error.ts';
import type { HttpMethod, SearchCalls } from './search-calls.ts';

/** What came of a call that only informs. */
export interface Look {
  /** The answer. Undefined where nobody may look. */
  readonly answer: unknown;
  /** Why there is no answer, in a sentence for a person. Null when there is one. */
  readonly unseen: string | null;
}

/** Nobody may make the call, or this product has none such. */
const UNSEEN = new Set([400, 401, 403, 404, 405, 410, 501]);

/**
 * Makes a call that a run can do without. A call that is forbidden, or that this product lacks, is no fault.
 *
 * @param what what the call shows, for the sentence: "the cluster's settings"
 */
export async function look(
  cluster: SearchCalls,
  path: string,
  what: string,
  method: HttpMethod = 'GET',
): Promise<Look> {
  try {
    return { answer: await cluster.call(method, path), unseen: null };
  } catch (error) {
    if (!isUnseen(error)) throw error;
    return { answer: undefined, unseen: unseenWords(what, error) };
  }
}

export function isUnseen(error: unknown): error is ClusterError {
  return error instanceof ClusterError && UNSEEN.has(error.status);
}

/** Says what could not be looked at, and why. */
export function unseenWords(what: string, error: ClusterError): string {
  const isForbidden = error.status === 401 || error.status === 403;
  return `${isForbidden ? 'this user may not look at' : 'this cluster does not show'} ${what}: ${error.message}`;
}
