import { setTimeout as sleep } from 'node:timers/promises';
import { signal as send } from '../../embedded/process-table.ts';
import { guard } from './guard.ts';

/** Stops processes and lets them go on after `forMs`, or as soon as the signal aborts or this process ends. */
export async function pause(pids: readonly number[], forMs: number, signal: AbortSignal): Promise<void> {
  const waker = await guard(pids, 'SIGCONT');
  for (const pid of pids) send(pid, 'SIGSTOP');
  await sleep(forMs, undefined, { signal }).catch(() => undefined);
  for (const pid of pids) send(pid, 'SIGCONT');
  await waker.dismiss();
}
