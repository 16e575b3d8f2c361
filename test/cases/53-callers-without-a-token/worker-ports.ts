import { readdir, readFile, readlink } from 'node:fs/promises';

const LISTENING = '0A';

/** The ports at which the worker processes listen whose environment names this folder. It reads Linux's proc(5). */
export async function workerPorts(folder: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const ports = await Promise.all(pids.map((pid) => portsOf(pid, folder)));
  return ports.flat();
}

async function portsOf(pid: string, folder: string): Promise<number[]> {
  const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
  if (!environment.includes('REINDEX_WORKER_ID=') || !environment.includes(folder)) return [];
  const names = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const links = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')));
  const sockets = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  const table = await readFile(`/proc/${pid}/net/tcp`, 'utf8').catch(() => '');
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    const port = Number.parseInt(local.split(':')[1] ?? '', 16);
    return state === LISTENING && sockets.has(inode) ? [port] : [];
  });
}
