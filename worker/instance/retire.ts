import { backoffMs } from '../backoff.ts';
import type { Pace } from './persist.ts';

/** What became of one call that terminates the instance. */
export type TerminateAnswer =
  | { readonly result: 'accepted' }
  | {
      /**
       * `at_minimum`: not done, the group would have less than its minimum. `not_managed`: no group has this instance.
       * `refused`: not done, for another reason. `unknown`: it may have been done.
       */
      readonly result: 'at_minimum' | 'not_managed' | 'refused' | 'unknown';
      /** A sentence for the log. */
      readonly detail: string;
    };

export interface RetireOptions {
  /** Whether the group shall do with one instance less; otherwise it launches another in its place. */
  readonly decrement: boolean;
  /** How long the group is asked, before the machine is shut down. */
  readonly timeoutMs: number;
}

export interface RetireEffects extends Pace {
  /** One call, not repeated below; never rejects. */
  terminate(decrement: boolean): Promise<TerminateAnswer>;
  /** @throws Error when the machine cannot be shut down */
  shutDown(): Promise<void>;
  onTermination(decrement: boolean, answer: TerminateAnswer): void;
  /** Told why the machine is shut down, as a sentence. */
  onLastResort(why: string): void;
}

/**
 * Ends the instance: asks the group to terminate it, and as the last resort shuts the machine down, which terminates it
 * too, though the group then launches another in its place.
 *
 *   with decrement -> (at the minimum, or perhaps done already) -> without decrement -> (too long) -> shut down
 *
 * A decrement is asked for again only after an answer that says that it was not done: a second one would take another
 * instance's place.
 * @throws Error when the machine cannot even be shut down
 */
export async function retire(options: RetireOptions, effects: RetireEffects): Promise<void> {
  const failure = await leaveGroup(options, effects);
  if (failure === null) return;
  effects.onLastResort(failure);
  await effects.shutDown();
}

/** Null when the group has accepted it, otherwise why it has not. */
async function leaveGroup(options: RetireOptions, effects: RetireEffects): Promise<string | null> {
  const untilMs = effects.now() + options.timeoutMs;
  let { decrement } = options;
  for (let failures = 1; ; failures++) {
    const answer = await effects.terminate(decrement);
    effects.onTermination(decrement, answer);
    if (answer.result === 'accepted') return null;
    if (answer.result === 'not_managed') return answer.detail;
    const repeatAtOnce = decrement && answer.result === 'at_minimum';
    if (answer.result !== 'refused') decrement = false;
    if (repeatAtOnce) continue;
    const pauseMs = backoffMs(failures, effects.random());
    if (effects.now() + pauseMs >= untilMs) return answer.detail;
    await effects.sleep(pauseMs);
  }
}
