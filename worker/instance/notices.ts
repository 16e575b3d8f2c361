import { z } from 'zod';
import type { Schedule } from '../schedule.ts';
import type { InstanceMetadata } from './metadata.ts';

/** `terminate`, `stop` or `hibernate`, and about when (AWS, "Spot Instance interruption notices"). */
const interruptionSchema = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue('is no JSON');
      return z.NEVER;
    }
  })
  .pipe(z.object({ action: z.string(), time: z.iso.datetime() }));

/** How long before the interruption the notice comes, by the same page. */
const NOTICE_MS = 120_000;

export interface NoticeOptions {
  readonly metadata: Pick<InstanceMetadata, 'read'>;
  readonly intervalMs: number;
  readonly marginMs: number;
  readonly schedule: Schedule;
  /** Milliseconds since the epoch, because notices have a time of day. */
  readonly now: () => number;
  /** Called with the reason as a clause. Each is called at most once, in this order. */
  readonly drain: (why: string) => void;
  readonly handBackWaiting: (why: string) => void;
  readonly handBackRunning: (why: string) => void;
  /** Called when the notices cannot be read. It is called again only after they could be read in between. */
  readonly onError: (error: unknown) => void;
}

/**
 * Watches for notices that AWS will take the instance away. After any notice, also a rebalance recommendation, the worker
 * drains. After a Spot interruption notice it also gives waiting tasks back at once. Shortly before the interruption it gives
 * running tasks back, so that what is settled by then is final before the machine is gone.
 */
export class Notices {
  readonly #options: NoticeOptions;
  #drains = false;
  #interrupted = false;
  #failing = false;
  #ended = false;
  readonly #cancels = new Set<() => void>();

  constructor(options: NoticeOptions) {
    this.#options = options;
    this.#later(0, () => void this.#look());
  }

  /** Acts no more. */
  end(): void {
    this.#ended = true;
    for (const cancel of this.#cancels) cancel();
  }

  async #look(): Promise<void> {
    const { metadata, intervalMs, onError } = this.#options;
    try {
      const interruption = await metadata.read('spot/instance-action');
      const rebalance = await metadata.read('events/recommendations/rebalance');
      this.#failing = false;
      if (this.#ended) return;
      if (interruption !== null) this.#interrupt(interruption);
      else if (rebalance !== null)
        this.#drain('AWS recommends a rebalance, because this Spot instance is at risk');
    } catch (error) {
      if (!this.#failing && !this.#ended) onError(error);
      this.#failing = true;
    }
    if (!this.#interrupted) this.#later(intervalMs, () => void this.#look());
  }

  #interrupt(text: string): void {
    const { handBackWaiting, handBackRunning, marginMs, now } = this.#options;
    const { success, data } = interruptionSchema.safeParse(text);
    const atMs = success ? Date.parse(data.time) : now() + NOTICE_MS;
    const action = success ? data.action : 'the worker does not understand the notice';
    const why = `AWS interrupts this Spot instance (${action}) at about ${new Date(atMs).toISOString()}`;
    this.#interrupted = true;
    this.#drain(why);
    handBackWaiting(why);
    this.#later(Math.max(0, atMs - marginMs - now()), () => handBackRunning(why));
  }

  #drain(why: string): void {
    if (this.#drains) return;
    this.#drains = true;
    this.#options.drain(why);
  }

  #later(delayMs: number, work: () => void): void {
    if (this.#ended) return;
    const cancel = this.#options.schedule(delayMs, () => {
      this.#cancels.delete(cancel);
      work();
    });
    this.#cancels.add(cancel);
  }
}
