import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { buildDigest } from '../../definition/build.ts';

const MAIN = resolve('orchestrator/main.ts');

it.each([['--version'], ['-V'], ['run', '--version']])(
  'reindex-fleet %s says version and build in a folder without settings, and reads none that are named',
  async (...args) => {
    const folder = await mkdtemp(join(tmpdir(), 'version-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const env = { REINDEX_STACK: 'none', HOME: folder };
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [MAIN, ...args], {
      cwd: folder,
      env,
    });
    // What every worker of this program says first of its build, whatever its definitions.
    const [program] = (await buildDigest([])).split('.');
    expect([stdout, stderr]).toEqual([`reindex-fleet ${manifest.version} build ${program}\n`, '']);
  },
);
