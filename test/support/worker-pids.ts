import { readdir, readFile } from 'node:fs/promises';
import { processEntry } from '../../embedded/process-table.ts';

/**
 * The living worker processes with this file of definitions. A worker gets the file's path in its environment, and each test has
 * a file of its own. It reads Linux's /proc (proc(5)).
 */
export function workersOf(definitionFile: string): Promise<number[]> {
  return workersTold([`REINDEX_WORKER_DEFINITIONS=${definitionFile}`]);
}

/** Those whose environment has all these lines. */
export async function workersTold(lines: readonly string[]): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0);
  const own = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      const told = new Set(environment.split('\0'));
      return lines.every((line) => told.has(line)) ? [pid] : [];
    }),
  );
  return own.flat().filter((pid) => processEntry(pid) !== null);
}
