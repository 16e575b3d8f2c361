import { backoffMs } from '../backoff.ts';
import type { Pace } from './persist.ts';

/** The outcome of one call that terminates the instance. */
export type TerminateAnswer =
  | { readonly result: 'accepted' }
  | {
      /**
       * `at_minimum`: refused, because the group would have less than its minimum. `not_managed`: no group has this instance.
       * `refused`: refused for another reason. `unknown`: AWS may have done it.
       */
      readonly result: 'at_minimum' | 'not_managed' | 'refused' | 'unknown';
      /** A sentence for the log. */
      readonly detail: string;
    };

export interface RetireOptions {
  /** Whether the group shall have one instance less. If not, it launches another in its place. */
  readonly decrement: boolean;
  /** How long the worker asks the group before it shuts the machine down. */
  readonly timeoutMs: number;
}

export interface RetireEffects extends Pace {
  /** Makes one call, which the SDK does not repeat. It never rejects. */
  terminate(decrement: boolean): Promise<TerminateAnswer>;
  /** @throws Error if the machine cannot be shut down */
  shutDown(): Promise<void>;
  onTermination(decrement: boolean, answer: TerminateAnswer): void;
  /** Called before the machine is shut down, with the reason as a sentence. */
  onLastResort(why: string): void;
}

/**
 * Ends the instance. It asks the group to terminate the instance. If that fails, it shuts the machine down. This terminates the
 * instance too, but the group then launches another in its place.
 *
 *   with decrement -> (at the minimum, or perhaps done already) -> without decrement -> (too long) -> shut down
 *
 * It asks for a decrement again only after an answer that says that AWS did nothing. A second decrement would end another
 * instance.
 * @throws Error if the machine cannot even be shut down
 */
export async function retire(options: RetireOptions, effects: RetireEffects): Promise<void> {
  const failure = await leaveGroup(options, effects);
  if (failure === null) return;
  effects.onLastResort(failure);
  await effects.shutDown();
}

/** Why the group did not accept the call. Null: it accepted it. */
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
