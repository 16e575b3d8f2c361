import { messageOf } from '../../errors.ts';

/** What a check found: the faults that forbid the run, and the warnings for a person. */
export interface Findings {
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * What a check found, and the value that it looked up. The value is null when it could not be had; then a fault says
 * why.
 */
export interface Found<T> extends Findings {
  readonly value: T | null;
}

/** Runs a check. If one of its calls fails, the failure becomes a fault beside the others. */
export async function collect<T>(check: () => Promise<Found<T>>): Promise<Found<T>> {
  try {
    return await check();
  } catch (error) {
    return { value: null, faults: [messageOf(error)], warnings: [] };
  }
}

/** Makes a call only to see whether it is allowed. */
export function allowed(call: () => Promise<unknown>): Promise<Found<null>> {
  return collect(async () => {
    await call();
    return { value: null, faults: [], warnings: [] };
  });
}
