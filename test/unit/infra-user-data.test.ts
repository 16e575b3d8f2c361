import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MOST_USER_DATA_BYTES } from '../../infra/workers/user-data.ts';
import { readBootSettings, readSettings } from '../../worker/settings.ts';
import { everyRun } from '../infra/every-run.ts';
import { runProgram, tryProgram } from '../infra/program-run.ts';
import { MADE_TOKEN } from '../infra/provider.ts';
import { fleetOf, userDataOf, workerParameters } from '../infra/resources.ts';
import { LEAST } from '../infra/stack-configurations.ts';

vi.setConfig({ testTimeout: 240_000 });

const run = promisify(execFile);
/** Where the script writes; in a test below a folder of its own. */
const PLACE = '/etc/reindex-fleet';

const STARTED = 'systemctl start --no-block reindex-worker.service';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'user-data-'));
  await mkdir(join(folder, 'bin'));
  await command('systemctl', 0);
  await command('shutdown', 0);
});
afterEach(() => rm(folder, { recursive: true }));

describe('the user data of an instance', () => {
  it('names the fleet’s parameters and definitions, and starts the worker', async () => {
    expect(userDataOf(await runProgram(LEAST))).toMatchInlineSnapshot(`
      "#!/bin/sh
      # reindex-fleet: whose worker this instance is. Settings and secrets are in Parameter Store.
      set -eu
      trap '[ "$?" -eq 0 ] || shutdown -h now' EXIT
      mkdir -p /etc/reindex-fleet
      cat > /etc/reindex-fleet/worker.env <<'END'
      REINDEX_WORKER_PLATFORM=ec2
      REINDEX_WORKER_PARAMETERS=/reindex-fleet/production/worker
      REINDEX_WORKER_DEFINITIONS=/opt/reindex-fleet/books.yaml
      NODE_USE_SYSTEM_CA=1
      END
      systemctl start --no-block reindex-worker.service
      "
    `);
  });

  it('fits into EC2’s limit, even with the longest paths', async () => {
    await everyRun((run) => expect(Buffer.byteLength(userDataOf(run))).toBeLessThan(MOST_USER_DATA_BYTES));
    const long = `/${'p'.repeat(1_023)}`;
    const longest = { checkout: long, definitions: long };
    const script = userDataOf(await runProgram({ ...LEAST, fleet: 'f'.repeat(24), instances: longest }));
    expect(Buffer.byteLength(script)).toBeLessThan(MOST_USER_DATA_BYTES);
    const longer = { ...LEAST, instances: { checkout: `${long}p`, definitions: `${long}p` } };
    await expect(runProgram(longer)).rejects.toThrow(
      /instances\.checkout: At most 1024 characters\..*\n.*definitions/,
    );
  });

  it('is a valid shell script', () =>
    everyRun(async (run) => {
      await writeFile(join(folder, 'script'), userDataOf(run));
      await expect(sh('-n', join(folder, 'script'))).resolves.toMatchObject({ stderr: '' });
    }));

  it('writes the settings that a worker reads, for the parameters that the stack creates', () =>
    everyRun(async (run, configuration) => {
      const { calls, environment } = await boot(userDataOf(run));
      expect(calls).toEqual([STARTED]);
      const { parameters: path } = readBootSettings([], environment);
      const { source, target } = configuration;
      expect(path).toBe(`/reindex-fleet/${fleetOf(configuration)}/worker`);
      const instance = { metadata: { id: 'i-1', host: '10.0.0.7' }, parameters: workerParameters(run) };
      const settings = readSettings([], environment, instance);
      expect(settings).toMatchObject({
        platform: 'ec2',
        id: 'i-1',
        host: '10.0.0.7',
        port: 8003,
        token: MADE_TOKEN,
      });
      expect(new URL(settings.database_url).host).toBe(new URL((source as { url: string }).url).host);
      expect(settings.search_url).toBe(new URL((target as { url: string }).url).href);
      const hasAccess = 'target_password' in configuration || 'target_api_key' in configuration;
      expect(settings.search_authorization !== null).toBe(hasAccess);
    }));

  it('shuts the instance down when the worker cannot be started', async () => {
    const script = userDataOf(await runProgram(LEAST));
    await command('systemctl', 1);
    const { calls } = await boot(script);
    expect(calls).toEqual([STARTED, 'shutdown -h now']);
  });

  it('shuts the instance down when its settings cannot be written', async () => {
    const script = userDataOf(await runProgram(LEAST));
    await writeFile(join(folder, 'etc'), 'in the way');
    expect((await boot(script)).calls).toEqual(['shutdown -h now']);
  });

  it('quotes every value, so that a shell never interprets it', async () => {
    const hostile = fc.oneof(
      fc.string({ maxLength: 30 }),
      fc.constantFrom(
        '/a\nEND\nreboot',
        '/a$(reboot)',
        '/a`reboot`',
        "/a'",
        '/a"',
        '/a\\',
        '/a b',
        '/a\u2028b',
        '/ä',
        '/a;b',
      ),
    );
    const setting = fc.constantFrom(
      (value: string) => ({ fleet: value }),
      (value: string) => ({ definitions: value }),
      (value: string) => ({ instances: { checkout: value } }),
      (value: string) => ({ instances: { definitions: value } }),
    );
    const property = fc.asyncProperty(hostile, setting, async (value, set) => {
      const { error, run } = await tryProgram({ ...LEAST, ...set(value) });
      const booted = error === null ? await boot(userDataOf(run)) : null;
      expect(booted?.calls ?? [STARTED]).toEqual([STARTED]);
      const written = booted === null ? value : Object.values(booted.environment).join('\n');
      expect(written).toContain(value.trim());
      expect(booted !== null || run.registrations.length === 1).toBe(true);
    });
    await fc.assert(property, { numRuns: 200 });
  });
});

/** Runs the script as cloud-init does, but that it writes below the test's own folder and calls the test's own commands. */
async function boot(script: string) {
  const calls = join(folder, 'calls');
  await rm(calls, { force: true });
  await writeFile(join(folder, 'script'), script.replaceAll(PLACE, join(folder, PLACE)));
  await sh(join(folder, 'script')).catch(() => {});
  return {
    calls: (await readFile(calls, 'utf8').catch(() => '')).split('\n').filter((line) => line !== ''),
    environment: await environmentFile().catch(() => ({})),
  };
}

/** As systemd reads it. */
async function environmentFile(): Promise<Record<string, string>> {
  const text = await readFile(join(folder, PLACE, 'worker.env'), 'utf8');
  const lines = text.split('\n').filter((line) => line !== '');
  return Object.fromEntries(
    lines.map((line) => {
      const [, name = '', value = ''] = /^([A-Z_]+)=(.*)$/.exec(line) ?? [];
      return [name, value];
    }),
  );
}

function sh(...args: string[]) {
  return run('/bin/sh', args, { env: { PATH: `${join(folder, 'bin')}:${process.env['PATH']}` } });
}

/** A command that says that it was called. */
async function command(name: string, exitCode: number): Promise<void> {
  const file = join(folder, 'bin', name);
  await writeFile(file, `#!/bin/sh\necho "${name} $*" >> '${folder}/calls'\nexit ${exitCode}\n`);
  await chmod(file, 0o755);
}
