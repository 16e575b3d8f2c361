/** What happened in a round, line by line, each with the seconds since the round's begin. */
export class Story {
  readonly #beginMs = performance.now();
  readonly #lines: string[] = [];
  readonly #tell: (line: string) => void;

  constructor(tell: (line: string) => void) {
    this.#tell = tell;
  }

  add(text: string): void {
    const seconds = ((performance.now() - this.#beginMs) / 1000).toFixed(1);
    const line = `${seconds.padStart(7)} s  ${text}`;
    this.#lines.push(line);
    this.#tell(line);
  }

  get text(): string {
    return this.#lines.join('\n');
  }
}
