import type { Dependency } from './contract.ts';
import { messageOf } from './message-of.ts';

/** Tells whether something can be reached; rejects or takes too long when it cannot. */
export type Probe = (signal: AbortSignal) => Promise<void>;

export interface ReadinessOptions {
  readonly probes: Readonly<Record<Dependency, Probe>>;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
  /** Told when a dependency cannot be reached, in the probe's own words, when these change, and when it can be again (null). */
  readonly onChange: (dependency: Dependency, fault: string | null) => void;
}

const FRESH_MS = 3_000;
/** Time limit of one probe. */
export const PROBE_TIMEOUT_MS = 2_000;

/** Which of a worker's dependencies cannot be reached, asked at most every few seconds however many want to know. */
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
      // While the question is open everyone waits for this one answer; it is fresh from when it comes.
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
