import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Reads one line; the end of input instead means that this process died, even by kill -9. Arguments: a signal, processes. */
const SCRIPT = 'read -r line && exit 0; name=$1; shift; for pid; do kill -s "$name" "$pid"; done';

export interface Guard {
  /** Dismisses the guard: the processes are no longer its business. */
  dismiss(): Promise<void>;
}

/** Sends processes a signal if this process ends in any way before it dismisses the guard. */
export async function guard(pids: readonly number[], signal: 'SIGCONT' | 'SIGKILL'): Promise<Guard> {
  const args = ['-c', SCRIPT, 'reindex-fleet-chaos-guard', signal.slice('SIG'.length), ...pids.map(String)];
  const child = spawn('/bin/sh', args, { cwd: '/', stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  child.stdin.on('error', () => undefined); // The guard may have ended already.
  await once(child, 'spawn');
  const exit = once(child, 'exit');
  return {
    async dismiss() {
      child.stdin.end('dismissed\n');
      await exit;
    },
  };
}
