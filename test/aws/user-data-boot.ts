import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv, promisify } from 'node:util';
import { DescribeInstanceAttributeCommand } from '@aws-sdk/client-ec2';
import type { TestScope } from '../support/run-setup.ts';
import type { TestClients } from './aws-clients.ts';
import type { Boot } from './boot.ts';

/** The image's, which user data starts. */
const UNIT = fileURLToPath(new URL('../../examples/aws/reindex-worker.service', import.meta.url));

/**
 * By an image that is made for any fleet: the instance's own user data is run, as cloud-init does at the first boot, in a
 * folder that stands for the machine's files, and what it leaves there for the unit is the worker's environment.
 */
export async function bootFromUserData(scope: TestScope, { ec2 }: Pick<TestClients, 'ec2'>): Promise<Boot> {
  const { environmentFile, starts } = await readUnit();
  const machines = await mkdtemp(join(tmpdir(), 'reindex-fleet-machines-'));
  scope.onTestFinished(() => rm(machines, { recursive: true }));
  return async ({ InstanceId = '' }) => {
    const { UserData } = await ec2.send(
      new DescribeInstanceAttributeCommand({ InstanceId, Attribute: 'userData' }),
    );
    const root = join(machines, InstanceId);
    const calls = await runIn(root, Buffer.from(UserData?.Value ?? '', 'base64').toString());
    if (calls !== `${starts}\n`)
      throw new Error(`The user data of ${InstanceId} calls "${calls}", not "${starts}".`);
    return parseEnv(await readFile(join(root, environmentFile), 'utf8')) as Record<string, string>;
  };
}

async function readUnit(): Promise<{ readonly environmentFile: string; readonly starts: string }> {
  const [, environmentFile] = /^EnvironmentFile=(\/etc\/.+)$/m.exec(await readFile(UNIT, 'utf8')) ?? [];
  if (environmentFile === undefined) throw new Error('The unit reads no file below /etc.');
  return { environmentFile, starts: `systemctl start --no-block ${basename(UNIT)}` };
}

/** Runs a script as the machine does. Returns what the script asked of the system, one line each. */
async function runIn(root: string, script: string): Promise<string> {
  const [commands, calls, file] = [join(root, 'bin'), join(root, 'calls'), join(root, 'user-data')];
  await mkdir(commands, { recursive: true });
  await writeFile(calls, '');
  for (const name of ['systemctl', 'shutdown']) {
    const stub = `#!/bin/sh\necho "${name} $*" >> '${calls}'\n`;
    await writeFile(join(commands, name), stub, { mode: 0o755 });
  }
  await writeFile(file, script.replaceAll('/etc/', `${root}/etc/`), { mode: 0o755 });
  await promisify(execFile)(file, { env: { PATH: `${commands}:/usr/bin:/bin` } });
  return readFile(calls, 'utf8');
}
