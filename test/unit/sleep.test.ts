import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { sleep, sleepInBackground } from '../../orchestrator/lifetime.ts';

describe.each([
  ['sleep', sleep],
  ['sleep in the background', sleepInBackground],
])('%s with an abort signal', (_, sleeping) => {
  it('ends with the reason of the signal as soon as it aborts', async () => {
    const controller = new AbortController();
    const reason = new Error('the lock is lost');
    const slept = sleeping(60_000, controller.signal);
    controller.abort(reason);
    await expect(slept).rejects.toBe(reason);
  });

  it('does not begin when the signal has already aborted', async () => {
    const reason = new Error('the lock is lost');
    await expect(sleeping(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it('leaves no listener behind on the signal', async () => {
    const { signal } = new AbortController();
    await sleeping(1, signal);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
