import { readdir, readFile } from 'node:fs/promises';

/** What a process and its descendants took so far. */
export interface Usage {
  /** Resident memory now. */
  readonly rssBytes: number;
  /** The most resident memory of each process so far, summed over the processes that live. */
  readonly peakBytes: number;
  /** User and system time, that of ended and waited-for descendants among it. */
  readonly cpuSeconds: number;
}

/** Reads /proc, so Linux only. Throws where the process has ended. */
export async function usageOf(pid: number): Promise<Usage> {
  const [own, ...others] = await Promise.all([
    usageOfOne(pid),
    ...(await childrenOf(pid)).map((child) => usageOf(child).catch(() => NOTHING)),
  ]);
  return others.reduce(
    (sum, { rssBytes, peakBytes, cpuSeconds }) => ({
      rssBytes: sum.rssBytes + rssBytes,
      peakBytes: sum.peakBytes + peakBytes,
      cpuSeconds: sum.cpuSeconds + cpuSeconds,
    }),
    own,
  );
}

/** Of a descendant that ended meanwhile: its parent has waited for it, so its time is in the parent's. */
const NOTHING: Usage = { rssBytes: 0, peakBytes: 0, cpuSeconds: 0 };

async function usageOfOne(pid: number): Promise<Usage> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const kibibytes = (name: string): number =>
    Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
  // Fields 14 to 17, in hundredths of a second (proc(5)); the second field may hold blanks, but ends with a bracket.
  const ticks = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15);
  return {
    rssBytes: kibibytes('VmRSS'),
    peakBytes: kibibytes('VmHWM'),
    cpuSeconds: ticks.reduce((sum, text) => sum + Number(text), 0) / 100,
  };
}

/** The children of every thread of the process. */
async function childrenOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  return lists
    .flatMap((list) => list.split(' '))
    .filter((text) => text !== '')
    .map(Number);
}
