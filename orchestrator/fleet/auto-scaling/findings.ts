import { messageOf } from '../../errors.ts';

/** What a check found: every fault that forbids the run, and what a person should know. */
export interface Findings {
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
}

/** And what it looked for; null: it was not to be had, and a fault says why. */
export interface Found<T> extends Findings {
  readonly value: T | null;
}

/** A call that fails is a fault beside the others. */
export async function collect<T>(check: () => Promise<Found<T>>): Promise<Found<T>> {
  try {
    return await check();
  } catch (error) {
    return { value: null, faults: [messageOf(error)], warnings: [] };
  }
}

/** A call that is only made to see that it is allowed. */
export function allowed(call: () => Promise<unknown>): Promise<Found<null>> {
  return collect(async () => {
    await call();
    return { value: null, faults: [], warnings: [] };
  });
}
