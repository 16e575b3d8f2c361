import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { RunFailed } from '../../../orchestrator/errors.ts';
import type { KeptLock } from './kept-lock.ts';

const KEEPER = fileURLToPath(new URL('./main.ts', import.meta.url));

/** A process that goes on with this program's locks if this program ends before its engine does. */
export interface Keeper {
  readonly pid: number;
  /** Tells it of a lock that this program holds now. */
  keep(lock: KeptLock): Promise<void>;
  /** Lets it end. It goes on with every lock that is not released. */
  end(): void;
}

/**
 * Starts a keeper, and waits until it listens. An interrupt from the terminal does not reach it, and it does not keep this
 * program from its end.
 *
 * @param engine the engine's address
 * @param onEnd called when the keeper has ended, for whatever reason
 * @throws RunFailed if it cannot be started
 */
export async function startKeeper(engine: string, onEnd: () => void): Promise<Keeper> {
  const child = spawn(process.execPath, [KEEPER, engine], {
    // It has a session of its own. It has no output of this program's, because whoever runs the program waits for its end.
    detached: true,
    windowsHide: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  await new Promise<void>((resolve, reject) => {
    const fail = (how: string): void =>
      reject(
        new RunFailed(
          `the process that keeps the fleet's lock until Pulumi has ended (${process.execPath} ${KEEPER}) ${how}. ` +
            'Nothing was changed. Mend that, then deploy again.',
        ),
      );
    child.once('message', () => resolve());
    child.once('error', (error) => {
      fail(`could not be started: ${error.message}`);
      onEnd();
    });
    child.once('exit', (code, signal) => {
      fail(`ended by ${signal ?? `exit code ${code}`}`);
      onEnd();
    });
  });
  child.unref();
  child.channel?.unref();
  return {
    pid: child.pid ?? 0,
    keep: (lock) =>
      new Promise((resolve, reject) => {
        child.send(lock, (error) => {
          if (error === null) resolve();
          else
            reject(
              new RunFailed(
                `the process that keeps the fleet's lock has ended: ${error.message}. Deploy again.`,
              ),
            );
        });
      }),
    end: () => {
      if (child.connected) child.disconnect();
    },
  };
}
