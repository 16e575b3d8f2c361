import type { Clock } from '../../orchestrator/clock.ts';
import type { Scheduler } from './scheduler.ts';

/** What happens to one call over the network, in milliseconds of virtual time. */
export interface Passage {
  readonly requestMs: number;
  readonly answerMs: number;
  /** `lost_request` never arrives. `lost_answer` takes effect, and the caller hears nothing. Both time out. */
  readonly fate: 'arrives' | 'lost_request' | 'lost_answer';
  readonly timeoutMs: number;
}

const EPOCH_MS = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;

/**
 * A process of the virtual world. Real code runs in it, and everything that it waits for comes through here. A killed
 * process never gets what it waits for, but what it has sent is on its way. A paused one gets it when it resumes.
 */
export class VirtualProcess {
  readonly name: string;
  readonly clock: Clock;
  readonly #scheduler: Scheduler;
  #state: 'runs' | 'paused' | 'dead' = 'runs';
  #held: (() => void)[] = [];
  readonly #children: VirtualProcess[] = [];

  /** `skew` from -1 to 1 says how wrong its clocks are: the wall clock by hours, the other by a part in a hundred. */
  constructor(scheduler: Scheduler, name: string, skew: number) {
    this.#scheduler = scheduler;
    this.name = name;
    const pace = 1 + skew / 100;
    const bootMs = 1_000_000 * (1 + skew);
    this.clock = {
      now: () => new Date(EPOCH_MS + scheduler.nowMs + skew * 12 * HOUR_MS),
      monotonicMs: () => bootMs + scheduler.nowMs * pace,
      sleep: (ms, signal) => this.#sleep(ms / pace, signal),
    };
  }

  get alive(): boolean {
    return this.#state !== 'dead';
  }

  get paused(): boolean {
    return this.#state === 'paused';
  }

  kill(): void {
    this.#state = 'dead';
    this.#held = [];
    for (const child of this.#children) child.kill();
  }

  /** A process that ends with this one. */
  adopt(child: VirtualProcess): void {
    this.#children.push(child);
    if (!this.alive) child.kill();
  }

  pause(): void {
    if (this.#state === 'runs') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'runs';
    const held = this.#held;
    this.#held = [];
    for (const go of held) this.deliver(go);
  }

  /** Lets something reach the process: now, when it resumes, or never. */
  deliver(go: () => void): void {
    if (this.#state === 'runs') go();
    else if (this.#state === 'paused') this.#held.push(() => this.deliver(go));
  }

  /** Does something in the process after a time on its own clock. Gives a function that cancels it. */
  after(ms: number, work: () => void): () => void {
    let wanted = true;
    const cancel = this.#scheduler.after(ms, () =>
      this.deliver(() => {
        if (wanted) work();
      }),
    );
    return () => {
      wanted = false;
      cancel();
    };
  }

  /** Makes a call to something outside. `perform` happens there, whatever has become of the process by then. */
  call<T>(passage: Passage, perform: () => T | Promise<T>): Promise<T> {
    const { requestMs, answerMs, fate, timeoutMs } = passage;
    return new Promise<T>((resolve, reject) => {
      const timedOut = this.after(timeoutMs, () => reject(new TimedOut()));
      if (fate === 'lost_request') return;
      this.#scheduler.after(requestMs, () => {
        const answer = (go: () => void): void => {
          if (fate !== 'arrives') return;
          this.after(answerMs, () => {
            timedOut();
            go();
          });
        };
        performed(perform).then(
          (value) => answer(() => resolve(value)),
          (error: unknown) => answer(() => reject(error)),
        );
      });
    });
  }

  #sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const stop = (): void => {
        cancel();
        reject(signal.reason as Error);
      };
      const cancel = this.after(ms, () => {
        signal.removeEventListener('abort', stop);
        resolve();
      });
      signal.addEventListener('abort', stop, { once: true });
    });
  }
}

/** The caller heard nothing in time, so it cannot know whether its call took effect. */
export class TimedOut extends Error {
  override readonly name = 'TimedOut';
  constructor() {
    super('timed out');
  }
}

async function performed<T>(perform: () => T | Promise<T>): Promise<T> {
  return perform();
}
