/**
 * Finds the one row that breaks a COPY, by the number of keys that the next COPY may cover: halved when it breaks,
 * doubled when it succeeds, until the window is open again. Pure.
 */
const FIRST_KEYS = 1024;
const OPEN_AGAIN_KEYS = 1024 * 1024;

export class KeyWindow {
  /** How many keys the next COPY covers; null: all that are left. */
  keys: number | null = null;

  /**
   * A COPY broke that covered so many keys (null: unknown, for it covered all that were left).
   * True when that one key is to blame.
   */
  broke(covered: number | null): boolean {
    if (covered === 1) {
      this.keys = 1;
      return true;
    }
    this.keys = covered === null ? FIRST_KEYS : Math.ceil(covered / 2);
    return false;
  }

  /** The next COPY covers all that are left: no single row is looked for any more. */
  open(): void {
    this.keys = null;
  }

  succeeded(): void {
    if (this.keys === null) return;
    const doubled = this.keys * 2;
    this.keys = doubled > OPEN_AGAIN_KEYS ? null : doubled;
  }
}
