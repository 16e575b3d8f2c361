import { setTimeout as sleep } from 'node:timers/promises';

/** Asks every 30 ms until the answer is not false, null or undefined. It fails with `what` after `timeoutMs`. */
export async function eventually<T>(
  what: string,
  ask: () => T | Promise<T>,
  timeoutMs = 40_000,
): Promise<Exclude<T, false | null | undefined>> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== false && answer !== null && answer !== undefined)
      return answer as Exclude<T, false | null | undefined>;
    if (performance.now() > deadlineMs)
      throw new Error(`In ${timeoutMs} ms it did not come true that ${what}.`);
    await sleep(30);
  }
}
