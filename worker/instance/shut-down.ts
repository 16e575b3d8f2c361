import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { InstanceFailure } from './instance-failure.ts';

/**
 * Shuts the machine down.
 * @param command split at spaces, run without a shell
 * @throws InstanceFailure if the command fails; Node's error if it cannot be run
 */
export async function shutDownMachine(command: string): Promise<void> {
  const [program = '', ...args] = command.split(/ +/);
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  if (code !== 0)
    throw new InstanceFailure(
      `The command "${command}" did not shut the machine down. It ended with ${signal ?? `exit code ${code}`}. Check shutdown_command and its permissions.`,
    );
}
