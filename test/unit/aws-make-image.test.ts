import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

/** The script that makes an image, against an `aws` that answers as AWS's own tool does and writes its calls down. */

const SCRIPT = fileURLToPath(new URL('../../examples/aws/make-image.sh', import.meta.url));
const INSTANCE = 'i-0123456789abcdef0';
const IMAGE = 'ami-0123456789abcdef0';

const AWS = `#!/bin/sh
echo "$*" | head -1 >> "$CALLS"
case "$1 $2 $3" in
  'ec2 run-instances '*) echo ${INSTANCE}; printf '%s' "$*" > "$CALLS.launch" ;;
  'ec2 wait instance-stopped') \${WAIT:-true} ;;
  'ec2 create-image '*) echo ${IMAGE} ;;
  'ec2 get-console-output '*) echo 'npm error network' ;;
  'ec2 terminate-instances '*) echo '{"TerminatingInstances": []}' ;;
esac
`;

interface Made {
  readonly exitCode: number | null;
  readonly output: string;
  readonly errors: string;
  /** Verbs of EC2, in their order. */
  readonly calls: readonly string[];
  readonly launch: string;
}

async function makeImage(environment: Record<string, string>, signalAt?: string): Promise<Made> {
  const folder = await mkdtemp(join(tmpdir(), 'make-image-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'aws'), AWS, { mode: 0o755 });
  const calls = join(folder, 'calls');
  const child = spawn('sh', [SCRIPT, 'https://git.example/fleet.git', 'abcdef0123456789'], {
    env: { PATH: `${folder}:${process.env['PATH']}`, CALLS: calls, ...environment },
    detached: true,
  });
  if (signalAt !== undefined) {
    while (!(await readFile(calls, 'utf8').catch(() => '')).includes(signalAt)) await sleep(20);
    process.kill(-(child.pid ?? 0), 'SIGTERM');
  }
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  const called = (await readFile(calls, 'utf8')).trim().split('\n');
  return {
    exitCode: child.exitCode,
    output,
    errors,
    calls: called.map((line) => line.split(' ').slice(1, 3).join(' ').replace(/ --.*/, '')),
    launch: await readFile(`${calls}.launch`, 'utf8'),
  };
}

test('the image script prints only the id of the image, builds it from the given commit, and terminates the instance', async () => {
  const made = await makeImage({});
  expect(made.output).toBe(`${IMAGE}\n`);
  expect(made.exitCode).toBe(0);
  expect(made.calls).toEqual([
    'run-instances',
    'wait instance-stopped',
    'create-image',
    'wait image-available',
    'terminate-instances',
  ]);
  expect(made.launch).toContain("git clone 'https://git.example/fleet.git' /opt/reindex-fleet\n");
  expect(made.launch).toContain("git checkout --detach 'abcdef0123456789'\n");
  expect(made.launch).toContain('HttpTokens=required');
});

test('the image script shows why an installation failed, and terminates the instance', async () => {
  const made = await makeImage({ WAIT: 'false' });
  expect(made.exitCode).toBe(1);
  expect(made.output).toBe('');
  expect(made.errors).toContain('npm error network');
  expect(made.calls.at(-1)).toBe('terminate-instances');
  expect(made.calls).not.toContain('create-image');
});

test('the image script terminates the instance when a signal interrupts it', async () => {
  const made = await makeImage({ WAIT: 'sleep 30' }, 'instance-stopped');
  expect(made.exitCode).toBe(143);
  expect(made.calls.at(-1)).toBe('terminate-instances');
});
