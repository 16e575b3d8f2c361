/** Tells whether something can be reached; rejects or takes too long when it cannot. */
export type Probe = (signal: AbortSignal) => Promise<void>;

const FRESH_MS = 3_000;
/** Time limit of one probe. */
export const PROBE_TIMEOUT_MS = 2_000;

/** Whether all that a worker depends on can be reached, asked at most every few seconds however many want to know. */
export class Readiness {
  readonly #probes: readonly Probe[];
  readonly #now: () => number;
  #answer: Promise<boolean> | null = null;
  #freshUntilMs = 0;

  /** @param now a monotonic clock in milliseconds */
  constructor(probes: readonly Probe[], now: () => number) {
    this.#probes = probes;
    this.#now = now;
  }

  ready(): Promise<boolean> {
    if (this.#answer === null || this.#now() >= this.#freshUntilMs) {
      // While the question is open everyone waits for this one answer; it is fresh from when it comes.
      this.#freshUntilMs = Number.POSITIVE_INFINITY;
      this.#answer = this.#ask().finally(() => {
        this.#freshUntilMs = this.#now() + FRESH_MS;
      });
    }
    return this.#answer;
  }

  async #ask(): Promise<boolean> {
    const answers = await Promise.all(this.#probes.map(succeedsInTime));
    return answers.every(Boolean);
  }
}

async function succeedsInTime(probe: Probe): Promise<boolean> {
  const end = new AbortController();
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => {
    end.abort();
    resolve(false);
  }, PROBE_TIMEOUT_MS);
  const answer = probe(end.signal).then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
