import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { z } from 'zod';

export const holderSchema = z.strictObject({
  host: z.string(),
  pid: z.int(),
  /** What identifies a process for good on one machine: boot, process namespace and start tick. Null where unknown. */
  identity: z.string().nullable(),
  since: z.iso.datetime(),
  purpose: z.string(),
  /** It sweeps: no sign of life of the run whose fleet it looks after. */
  sweeps: z.literal(true).optional(),
});
/** Who holds the lock, for messages and for proving that a holder on this very machine is gone. */
export type Holder = z.infer<typeof holderSchema>;

/** For a person. */
export function holderWords({ purpose, pid, host, since }: Holder): string {
  return `${purpose}, process ${pid} on ${host}, since ${since}`;
}

export async function describeThisProcess(purpose: string, now: Date): Promise<Holder> {
  return {
    host: hostname(),
    pid: process.pid,
    identity: await identityOf(process.pid),
    since: now.toISOString(),
    purpose,
  };
}

/**
 * `dead` only when it is certain: the holder ran on this boot of this machine in this process namespace, and its
 * process is gone or its id belongs to a later process. Everything else is `unknown` and takes a lease's time to tell.
 */
export async function stateOfHolder(holder: Holder): Promise<'alive' | 'dead' | 'unknown'> {
  const place = await placeOf();
  if (place === null || holder.identity === null || holder.host !== hostname()) return 'unknown';
  if (!holder.identity.startsWith(`${place}/`)) return 'unknown';
  return (await identityOf(holder.pid)) === holder.identity ? 'alive' : 'dead';
}

async function identityOf(pid: number): Promise<string | null> {
  const place = await placeOf();
  if (place === null) return null;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (stat === null) return `${place}/gone`;
  // The command in parentheses may hold spaces; the start time is field 22, the 20th behind it (proc(5)).
  const startTick = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  return `${place}/${pid}/${startTick}`;
}

/** This boot and this process namespace (containers on one machine share a boot, but not process ids). */
async function placeOf(): Promise<string | null> {
  try {
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    return `${boot}/${await readlink('/proc/self/ns/pid')}`;
  } catch {
    return null;
  }
}
