import { readFileSync } from 'node:fs';
import promises, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

/**
 * A command loads this before anything else (`node --import`). It makes the file system of the command's journal fail, or kills
 * the command there. The file that JOURNAL_FAULT_FILE names says what happens. It may change while the command runs.
 */

export type JournalCall = 'open' | 'write' | 'sync' | 'link' | 'rename';

export interface JournalFault {
  readonly call: JournalCall;
  /** Which call of this kind, from 1 on, counted from when the command first saw this fault. */
  readonly nth: number;
  /** How many calls of this kind meet it from there on: one by default; null: all. */
  readonly times?: number | null;
  /** `after`: the call takes effect first. */
  readonly when: 'before' | 'after';
  /** An error's code, or the end of the process. */
  readonly what: 'SIGKILL' | 'ENOSPC' | 'EIO' | 'EROFS' | 'EACCES';
}

const WORDS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on device',
  EIO: 'i/o error',
  EROFS: 'read-only file system',
  EACCES: 'permission denied',
};
/** Calls of the file system, with the names of Node's errors. */
const SYSCALLS: Readonly<Record<JournalCall, string>> = {
  open: 'open',
  write: 'write',
  sync: 'fsync',
  link: 'link',
  rename: 'rename',
};

const { JOURNAL_FAULT_FILE: faultFile = '', JOURNAL_FAULT_FOLDER: folder = '' } = process.env;
let seen = { text: '', counts: new Map<JournalCall, number>() };

/** Counts a call and returns the fault that it meets. */
function faultOf(call: JournalCall): JournalFault | null {
  const text = readFileSync(faultFile, 'utf8');
  if (text !== seen.text) seen = { text, counts: new Map() };
  const count = (seen.counts.get(call) ?? 0) + 1;
  seen.counts.set(call, count);
  const fault = JSON.parse(text) as JournalFault | null;
  if (fault === null || fault.call !== call) return null;
  const { nth, times = 1 } = fault;
  return count >= nth && (times === null || count < nth + times) ? fault : null;
}

/** Like Node's own: calls on an open file do not name it. */
function strike({ what, call }: JournalFault, path: string): void {
  if (what === 'SIGKILL') process.kill(process.pid, 'SIGKILL');
  const named = call === 'write' || call === 'sync' ? '' : ` '${path}'`;
  throw Object.assign(new Error(`${what}: ${WORDS[what]}, ${SYSCALLS[call]}${named}`), {
    code: what,
    syscall: SYSCALLS[call],
  });
}

async function meet<T>(call: JournalCall, path: string, perform: () => Promise<T>): Promise<T> {
  const fault = path.startsWith(folder) ? faultOf(call) : null;
  if (fault?.when === 'before') strike(fault, path);
  const result = await perform();
  if (fault?.when === 'after') strike(fault, path);
  return result;
}

function watched(file: FileHandle, path: string): FileHandle {
  const writeFile = file.writeFile.bind(file);
  const sync = file.sync.bind(file);
  file.writeFile = (...args) => meet('write', path, () => writeFile(...args));
  file.sync = () => meet('sync', path, sync);
  return file;
}

const { open, link, rename } = promises;
Object.assign(promises, {
  open: async (...args: Parameters<typeof open>) => {
    const path = String(args[0]);
    return watched(await meet('open', path, () => open(...args)), path);
  },
  link: (from: string, to: string) => meet('link', to, () => link(from, to)),
  rename: (from: string, to: string) => meet('rename', to, () => rename(from, to)),
});
syncBuiltinESMExports();
