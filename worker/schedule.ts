/** Does `work` once, after `delayMs` milliseconds; the function that it gives takes that back. */
export type Schedule = (delayMs: number, work: () => void) => () => void;

/** By the process's own timers. */
export const scheduleWithTimers: Schedule = (delayMs, work) => {
  const timer = setTimeout(work, delayMs);
  return () => clearTimeout(timer);
};
