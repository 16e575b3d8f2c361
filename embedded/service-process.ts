import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { signal } from './process-table.ts';
import { unprivilegedUser } from './unprivileged.ts';
import { ServicesFailure } from './services-failure.ts';

export interface ServiceCommand {
  /** Its name in messages, e.g. `PostgreSQL`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  /** The file for stdout and stderr. It is emptied first. */
  readonly logFile: string;
  /** `stop` asks it to end. `force` follows if it has not ended after `STOP_GRACE_MS`. */
  readonly signals: { readonly stop: NodeJS.Signals; readonly force: NodeJS.Signals };
}

export interface ServiceProcess {
  readonly pid: number;
  hasExited(): boolean;
  stop(): Promise<void>;
}

const STOP_GRACE_MS = 8_000;

/**
 * The guard's program. It reads one line from the keeper. An end of file means that the keeper died, perhaps by kill -9. Then the
 * guard ends the service. Arguments: the service's process number, the signal that asks, and the signal that forces.
 */
const GUARD_SCRIPT = `read -r line && exit 0
kill -s "$2" "$1" || exit 0
n=0
while [ $n -lt 8 ]; do sleep 1; kill -0 "$1" || exit 0; n=$((n + 1)); done
kill -s "$3" "$1"`;

/**
 * Starts a service as the unprivileged user, in a session of its own. So a terminal's Ctrl-C reaches only the keeper, which
 * ends the service in order.
 */
export async function startServiceProcess(command: ServiceCommand): Promise<ServiceProcess> {
  const log = openSync(command.logFile, 'w', 0o644);
  const child = spawn(command.command, command.args, {
    cwd: command.cwd,
    env: command.env ?? process.env,
    stdio: ['ignore', log, log],
    detached: true,
    ...unprivilegedUser(),
  });
  closeSync(log);
  await once(child, 'spawn').catch((error: Error) => {
    throw new ServicesFailure(`${command.name} cannot be started: ${error.message}`, { cause: error });
  });
  return supervise(command, child, child.pid as number);
}

function supervise(command: ServiceCommand, child: ChildProcess, pid: number): ServiceProcess {
  const guard = startGuard(pid, command.signals);
  let exited = false;
  const exit = once(child, 'exit');
  child.once('exit', () => {
    exited = true;
    guard.stdin?.end('ended\n');
  });
  return {
    pid,
    hasExited: () => exited,
    async stop() {
      signal(pid, command.signals.stop);
      const force = setTimeout(() => signal(pid, command.signals.force), STOP_GRACE_MS);
      await exit;
      clearTimeout(force);
    },
  };
}

function startGuard(pid: number, signals: ServiceCommand['signals']): ChildProcess {
  const names = [signals.stop, signals.force].map((name) => name.slice('SIG'.length));
  const guard = spawn('/bin/sh', ['-c', GUARD_SCRIPT, 'reindex-fleet-guard', String(pid), ...names], {
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  guard.stdin?.on('error', () => {}); // the guard was killed; the next start still finds the service by its pid file
  return guard;
}

/** The last lines of a service's log, for an error message. */
export function logTail(logFile: string, lines = 15): string {
  try {
    return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '(there is no log)';
  }
}
