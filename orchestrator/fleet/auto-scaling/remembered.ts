/** Asks a question now and then, and keeps the answer in between. */
export class Remembered<Question, Answer> {
  readonly #ask: (question: Question) => Promise<Answer>;
  readonly #maxAgeMs: number;
  readonly #monotonicMs: () => number;
  #askedMs = Number.NEGATIVE_INFINITY;
  #answer: Answer | null = null;

  constructor(
    ask: (question: Question) => Promise<Answer>,
    options: { readonly maxAgeMs: number; readonly monotonicMs: () => number },
  ) {
    this.#ask = ask;
    this.#maxAgeMs = options.maxAgeMs;
    this.#monotonicMs = options.monotonicMs;
  }

  /**
   * The kept answer while it is younger than `maxAgeMs`, else a new one. If asking fails, the last answer stands until
   * the next try. Null when there is no answer yet.
   */
  async recent(question: Question): Promise<Answer | null> {
    if (this.#monotonicMs() - this.#askedMs >= this.#maxAgeMs) await this.fresh(question).catch(() => {});
    return this.#answer;
  }

  /** Makes the next call of `recent` ask, however fresh the kept answer is. */
  doubt(): void {
    this.#askedMs = Number.NEGATIVE_INFINITY;
  }

  async fresh(question: Question): Promise<Answer> {
    this.#askedMs = this.#monotonicMs();
    this.#answer = await this.#ask(question);
    return this.#answer;
  }
}
