/** Does `work` once, after `delayMs` milliseconds. It returns a function that cancels this. */
export type Schedule = (delayMs: number, work: () => void) => () => void;

/** By the process's own timers. */
export const scheduleWithTimers: Schedule = (delayMs, work) => {
  const timer = setTimeout(work, delayMs);
  return () => clearTimeout(timer);
};
