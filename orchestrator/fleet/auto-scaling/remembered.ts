/** What is asked now and then: an answer that is not older than so long is taken again. */
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

  /** Where it cannot be asked now the last answer stands until the next try; null: there is none yet. */
  async recent(question: Question): Promise<Answer | null> {
    if (this.#monotonicMs() - this.#askedMs >= this.#maxAgeMs) await this.fresh(question).catch(() => {});
    return this.#answer;
  }

  /** The next question is asked, however fresh the answer is. */
  doubt(): void {
    this.#askedMs = Number.NEGATIVE_INFINITY;
  }

  async fresh(question: Question): Promise<Answer> {
    this.#askedMs = this.#monotonicMs();
    this.#answer = await this.#ask(question);
    return this.#answer;
  }
}
