import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { z } from 'zod';

export const holderSchema = z.strictObject({
  host: z.string(),
  pid: z.int(),
  /** Identifies a process for ever on one machine: boot, process namespace and start tick. Null where unknown. */
  identity: z.string().nullable(),
  since: z.iso.datetime(),
  purpose: z.string(),
  /** The key that its command was given. Absent without one, and in locks of earlier versions. */
  runKey: z.string().optional(),
  /** Set for a sweeper. It is no sign of life of the run whose fleet it sweeps. */
  sweeps: z.literal(true).optional(),
});
/** The process that holds the lock, for messages and to prove that a holder on this machine is gone. */
export type Holder = z.infer<typeof holderSchema>;

/** Names the holder for a person. */
export function holderWords({ purpose, pid, host, since, runKey }: Holder): string {
  const run = runKey === undefined ? '' : `, for the run with key ${runKey}`;
  return `${purpose}, process ${pid} on ${host}, since ${since}${run}`;
}

export function describeThisProcess(purpose: string, now: Date): Promise<Holder> {
  return describeProcess(process.pid, purpose, now);
}

/** @param pid of a process on this machine */
export async function describeProcess(pid: number, purpose: string, now: Date): Promise<Holder> {
  return {
    host: hostname(),
    pid,
    identity: await identityOf(pid),
    since: now.toISOString(),
    purpose,
  };
}

/**
 * Whether a holder's process lives. `dead` only when that is certain: the holder ran on this boot of this machine in
 * this process namespace, and its process is gone or its id belongs to a later process. Everything else is `unknown`,
 * and only a lease's time can tell.
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
  // The command in parentheses may hold spaces. The start time is field 22, the 20th behind it (proc(5)).
  const startTick = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  return `${place}/${pid}/${startTick}`;
}

/** Names this boot and this process namespace. Containers on one machine share a boot, but not process ids. */
async function placeOf(): Promise<string | null> {
  try {
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    return `${boot}/${await readlink('/proc/self/ns/pid')}`;
  } catch {
    return null;
  }
}
