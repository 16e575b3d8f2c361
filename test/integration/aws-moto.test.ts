import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, inject, test } from 'vitest';
import { cacheDirectory } from '../../embedded/cache.ts';
import { installMoto } from '../aws/moto-installation.ts';
import { eventually } from '../support/run-eventually.ts';

const SERVER = new URL('../aws/moto-server.ts', import.meta.url).href;

test.skipIf(inject('awsUrl') === null)(
  'the tests’ AWS API ends with the process that started it, even by SIGKILL',
  async ({ onTestFinished }) => {
    const installation = await installMoto(cacheDirectory(process.env), process.env);
    const program = `
    const { startMoto } = await import(${JSON.stringify(SERVER)});
    const { url } = await startMoto(${JSON.stringify(installation)});
    console.log(url);`;
    const holder = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void holder.kill('SIGKILL'));
    const [url] = (await once(createInterface(holder.stdout), 'line')) as [string];
    const answer = await fetch(`${url}/moto-api/data.json`);
    expect(answer.status).toBe(200);
    await answer.arrayBuffer();

    holder.kill('SIGKILL');
    await eventually('the AWS API is gone', () =>
      fetch(url).then(
        () => false,
        () => true,
      ),
    );
  },
);

test('the tests’ AWS API names what is missing when there is no Python', async ({ onTestFinished }) => {
  const folder = await mkdtemp(join(tmpdir(), 'reindex-fleet-moto-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  expect(await installMoto(folder, { PATH: folder })).toEqual({
    missing: 'moto needs a Python 3.10 or later with pip, which this machine lacks',
  });
  expect(await readdir(folder)).toEqual([]);
});
