import type { Dependency } from './contract.ts';
import { messageOf } from './message-of.ts';

/** Resolves if something can be reached. If not, it rejects or takes too long. */
export type Probe = (signal: AbortSignal) => Promise<void>;

export interface ReadinessOptions {
  readonly probes: Readonly<Record<Dependency, Probe>>;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
  /** Called when a dependency cannot be reached, with the probe's words, and when these change. Null: it is reached again. */
  readonly onChange: (dependency: Dependency, fault: string | null) => void;
}

const FRESH_MS = 3_000;
/** Time limit of one probe. */
export const PROBE_TIMEOUT_MS = 2_000;

/** Knows which dependencies of a worker cannot be reached. It asks at most every few seconds, however often it is asked. */
export class Readiness {
  readonly #options: ReadinessOptions;
  readonly #faults = new Map<Dependency, string>();
  #answer: Promise<readonly Dependency[]> | null = null;
  #freshUntilMs = 0;

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  /** None: it is ready. */
  unreachable(): Promise<readonly Dependency[]> {
    const { now } = this.#options;
    if (this.#answer === null || now() >= this.#freshUntilMs) {
      // All callers wait for this one answer. It is fresh from the moment when it comes.
      this.#freshUntilMs = Number.POSITIVE_INFINITY;
      this.#answer = this.#ask().finally(() => {
        this.#freshUntilMs = now() + FRESH_MS;
      });
    }
    return this.#answer;
  }

  async #ask(): Promise<readonly Dependency[]> {
    const { database, cluster } = this.#options.probes;
    const [ofDatabase, ofCluster] = await Promise.all([faultOf(database), faultOf(cluster)]);
    this.#note('database', ofDatabase);
    this.#note('cluster', ofCluster);
    return [...this.#faults.keys()];
  }

  #note(dependency: Dependency, fault: string | null): void {
    if (fault === (this.#faults.get(dependency) ?? null)) return;
    if (fault === null) this.#faults.delete(dependency);
    else this.#faults.set(dependency, fault);
    this.#options.onChange(dependency, fault);
  }
}

/** Null: it succeeded in time. */
async function faultOf(probe: Probe): Promise<string | null> {
  const end = new AbortController();
  const { promise: late, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(() => {
    end.abort();
    resolve(`no answer within ${PROBE_TIMEOUT_MS} ms`);
  }, PROBE_TIMEOUT_MS);
  const answer = probe(end.signal).then(() => null, messageOf);
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
