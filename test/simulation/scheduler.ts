/** Virtual time: what is to happen, in the order in which it happens. Two things of one moment happen in the order in which they were planned. */
export class Scheduler {
  nowMs = 0;
  readonly #heap: Planned[] = [];
  #planned = 0;

  /** Gives a function that cancels it. */
  after(ms: number, happen: () => void): () => void {
    this.#planned += 1;
    const planned: Planned = { atMs: this.nowMs + Math.max(0, ms), order: this.#planned, happen };
    this.#push(planned);
    return () => {
      planned.happen = null;
    };
  }

  /**
   * Lets things happen, one after the other and each with all that follows from it at once, until `isOver` or until
   * nothing is planned before `untilMs`.
   */
  async run(untilMs: number, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > untilMs) {
        this.nowMs = Math.max(this.nowMs, untilMs);
        return;
      }
      this.#pop();
      this.nowMs = next.atMs;
      if (next.happen === null) continue;
      next.happen();
      await settled();
    }
  }

  #push(planned: Planned): void {
    const heap = this.#heap;
    let at = heap.push(planned) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !isBefore(planned, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = planned;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const [one, other] = [heap[left], heap[left + 1]];
      const below = other !== undefined && one !== undefined && isBefore(other, one) ? left + 1 : left;
      const child = heap[below];
      if (child === undefined || !isBefore(child, last)) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
  }
}

interface Planned {
  readonly atMs: number;
  readonly order: number;
  /** Null when it was cancelled. */
  happen: (() => void) | null;
}

function isBefore(a: Planned, b: Planned): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** Resolves when every promise that can go on has gone on. The loop turns only when no microtask is left. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
