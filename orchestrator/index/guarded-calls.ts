import type { CallOptions, HttpMethod, SearchCalls } from './search-calls.ts';

/** Calls that only ask, though some have a body. */
const ASKS = /\/(_count|_search|_msearch|_mget)(\?|$)|^\/_index_template\/_simulate_index\//;

/**
 * Guards calls to a cluster. A call that changes something is made only while the lock is held, and the lock is asked
 * right before each try. Otherwise a process that was paused between its decision and its call could delete or move
 * what another process has made since.
 *
 * @param requireHeld throws when the lock is lost
 * @param signal ends running calls, with its reason
 */
export function guardedCalls(
  cluster: SearchCalls,
  requireHeld: () => void,
  signal?: AbortSignal,
): SearchCalls {
  const guarded =
    <T>(work: (method: HttpMethod, path: string, ...rest: CallRest) => Promise<T>) =>
    async (method: HttpMethod, path: string, ...[body, options]: CallRest): Promise<T> => {
      const ended = endedBy(signal, options);
      if (method === 'GET' || method === 'HEAD' || ASKS.test(path))
        return work(method, path, body ?? null, ended);
      requireHeld();
      return work(method, path, body ?? null, { ...ended, beforeTry: requireHeld });
    };
  return {
    where: cluster.where,
    call: guarded((...args) => cluster.call(...args)),
    callText: guarded((...args) => cluster.callText(...args)),
    callOrNull: guarded((...args) => cluster.callOrNull(...args)),
    search: (index, body) => cluster.search(index, body),
  };
}

function endedBy(signal: AbortSignal | undefined, options: CallOptions = {}): CallOptions {
  const signals = [signal, options.signal].filter((one) => one !== undefined);
  return signals.length === 0 ? options : { ...options, signal: AbortSignal.any(signals) };
}

type CallRest = Parameters<SearchCalls['call']> extends [unknown, unknown, ...infer Rest] ? Rest : never;
