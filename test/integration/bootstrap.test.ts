import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

/**
 * Stands in for npm: notes its arguments and "installs" what is asked for; Node is a script that says the version that
 * the test gives, or notes what it is to run. `npm ci` empties node_modules first, as npm does, and lasts until the file
 * that a test names is there.
 */
const FAKE_NPM = `
  const { appendFileSync, existsSync, mkdirSync, rmSync, writeFileSync } = require('node:fs');
  const { FAKE_FOLDER, FAKE_FAILURE, FAKE_LASTS_UNTIL, FAKE_VERSION } = process.env;
  const args = process.argv.slice(2);
  appendFileSync(FAKE_FOLDER + '/npm-calls', args.join(' ') + '\\n');
  if (FAKE_FAILURE && args.join(' ').includes(FAKE_FAILURE)) {
    console.error('npm error code E404\\nnpm error no such package');
    process.exit(1);
  }
  if (args.includes('--dry-run')) process.exit(0);
  if (args[0] === 'ci') {
    rmSync('node_modules', { recursive: true, force: true });
    mkdirSync('node_modules/node', { recursive: true });
    const clock = new Int32Array(new SharedArrayBuffer(4));
    while (FAKE_LASTS_UNTIL && !existsSync(FAKE_LASTS_UNTIL)) Atomics.wait(clock, 0, 0, 5);
  } else if (FAKE_VERSION && args.at(-1).startsWith('node@')) {
    mkdirSync('node_modules/node/bin', { recursive: true });
    writeFileSync(
      'node_modules/node/bin/node',
      '#!/bin/sh\\nif [ "$1" = --version ]; then echo ' + FAKE_VERSION + '; else echo "$@" > "$FAKE_FOLDER/runs"; mv "$FAKE_FOLDER/runs" "$FAKE_FOLDER/ran"; fi\\n',
      { mode: 0o755 },
    );
  }
`;
const NODE = 'install --no-save --no-package-lock --no-audit --no-fund node@24.1.0';
const RUN = 'ci --omit=dev --ignore-scripts --no-audit --no-fund';
const ALL = 'ci --include=dev --ignore-scripts --no-audit --no-fund';
const REHEARSAL = 'ci --include=dev --dry-run --ignore-scripts --no-audit';
const REST = 'install --no-save --include=dev --ignore-scripts --no-audit --no-fund';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reindex-fleet-bootstrap-'));
  copyFileSync(fileURLToPath(new URL('../../bootstrap.mjs', import.meta.url)), join(folder, 'bootstrap.mjs'));
  writeFileSync(
    join(folder, 'package-lock.json'),
    JSON.stringify({ packages: { 'node_modules/node': { version: '24.1.0' } } }),
  );
  writeFileSync(join(folder, 'npm.js'), FAKE_NPM);
});
afterEach(() => rmSync(folder, { recursive: true }));

function start(args: string[] = [], environment: Record<string, string> = {}) {
  return spawn(process.execPath, ['bootstrap.mjs', ...args], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      npm_execpath: join(folder, 'npm.js'),
      FAKE_FOLDER: folder,
      FAKE_VERSION: 'v24.1.0',
      ...environment,
    },
  });
}

async function resultOf(child: ReturnType<typeof start>) {
  const exit = once(child, 'close');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [status] = (await exit) as [number];
  return { status, stdout, stderr };
}

const bootstrap = (...given: Parameters<typeof start>) => resultOf(start(...given));

/** Node and the other packages are installed at the same time, so their order says nothing. */
function calls(): string[] {
  const file = join(folder, 'npm-calls');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').sort() : [];
}

const forgetCalls = (): void => rmSync(join(folder, 'npm-calls'), { force: true });
const nothing = { status: 0, stdout: '', stderr: '' };

test('bootstrap installs missing packages once', async () => {
  const first = await bootstrap();
  expect(first).toMatchObject({ status: 0, stdout: '' });
  expect(first.stderr).toMatch(/packages installed in [0-9.]+ s; Node v24.1.0 runs/);
  expect(await bootstrap()).toEqual(nothing);
  expect(calls()).toEqual([ALL, NODE]);
  expect(readdirSync(folder).filter((name) => name.startsWith('.installing'))).toEqual([]);
});

test('bootstrap installs no development packages for a run, and adds them for a later test without emptying node_modules', async () => {
  expect((await bootstrap(['--omit=dev'])).stderr).toContain('installing packages that a run needs');
  expect(await bootstrap(['--omit=dev'])).toEqual(nothing);
  expect(calls()).toEqual([RUN, NODE]);
  forgetCalls();

  expect((await bootstrap()).stderr).toContain('installing the packages of development');
  expect(calls()).toEqual([REHEARSAL, REST]);
  expect(await bootstrap()).toEqual(nothing);
  expect(await bootstrap(['--omit=dev']), 'all packages serve a run too').toEqual(nothing);
});

test('bootstrap adds no packages when package.json and the lockfile disagree', async () => {
  await bootstrap(['--omit=dev']);
  expect(await bootstrap([], { FAKE_FAILURE: '--dry-run' })).toMatchObject({ status: 1 });
  expect(calls()).not.toContain(REST);
  expect(await bootstrap(['--omit=dev']), 'what a run needs is there as before').toEqual(nothing);
});

test('bootstrap installs everything again when an addition was cut off', async () => {
  await bootstrap(['--omit=dev']);
  expect(await bootstrap([], { FAKE_FAILURE: REST })).toMatchObject({ status: 1 });
  forgetCalls();
  expect(await bootstrap()).toMatchObject({ status: 0 });
  expect(calls()).toEqual([ALL, NODE]);
});

test('bootstrap installs packages again when the lockfile has changed, and development packages only where they were', async () => {
  await bootstrap(['--omit=dev']);
  appendFileSync(join(folder, 'package-lock.json'), '\n');
  await bootstrap(['--omit=dev']);
  expect(calls()).toEqual([RUN, RUN, NODE, NODE]);
  await bootstrap();
  forgetCalls();
  appendFileSync(join(folder, 'package-lock.json'), '\n');
  await bootstrap(['--omit=dev']);
  expect(calls()).toEqual([ALL, NODE]);
});

test('bootstrap installs once when two commands start at once, and the other one waits', async () => {
  const both = await Promise.all([bootstrap(), bootstrap()]);
  expect(both.map(({ status }) => status)).toEqual([0, 0]);
  expect(calls()).toEqual([ALL, NODE]);
});

test('bootstrap says for which process it waits', async () => {
  writeFileSync(join(folder, '.installing'), String(process.pid));
  const child = start();
  const said = once(child.stderr, 'data');
  const result = resultOf(child);
  expect(String((await said)[0])).toContain(
    `process ${process.pid} installs packages here; this command waits for it`,
  );
  expect(calls()).toEqual([]);
  rmSync(join(folder, '.installing'));
  expect(await result).toMatchObject({ status: 0 });
});

test('bootstrap installs again after it was killed', async () => {
  const dead = 4_194_305; // one more than the highest process number of Linux
  writeFileSync(join(folder, '.installing'), String(dead));
  mkdirSync(join(folder, '.installing-node'));
  mkdirSync(join(folder, 'node_modules'));
  expect(await bootstrap()).toMatchObject({ status: 0 });
  expect(calls()).toEqual([ALL, NODE]);
});

test.each([
  ['the packages', RUN, 'npm ci failed'],
  ['Node', 'node@24.1.0', 'npm install failed'],
])(
  'bootstrap shows why the installation of %s failed in npm’s words, and tries again the next time',
  async (_what, call, words) => {
    const failed = await bootstrap(['--omit=dev'], { FAKE_FAILURE: call });
    expect(failed.status).toBe(1);
    expect(failed.stderr).toContain(words);
    expect(failed.stderr).toContain('npm error code E404\nnpm error no such package');
    expect(failed.stderr).toContain('npm config get registry');
    expect(await bootstrap(['--omit=dev'])).toMatchObject({ status: 0 });
  },
);

test('bootstrap fails when the installation has no suitable Node', async () => {
  expect((await bootstrap([], { FAKE_VERSION: '' })).stderr).toContain('ignore-scripts');
  expect((await bootstrap([], { FAKE_VERSION: 'v22.0.0' })).status).toBe(1);
});

test('bootstrap fetches the search node beside the packages, unless there are settings of one’s own', async () => {
  const ran = join(folder, 'ran');
  await bootstrap(['--omit=dev', '--search-node'], { FAKE_LASTS_UNTIL: ran });
  expect(readFileSync(ran, 'utf8')).toMatch(/embedded\/fetch\.ts\n$/);
  rmSync(ran);

  writeFileSync(join(folder, 'reindex-fleet.yaml'), '');
  rmSync(join(folder, 'node_modules'), { recursive: true });
  expect(await bootstrap(['--omit=dev', '--search-node'])).toMatchObject({ status: 0 });
  expect(existsSync(ran)).toBe(false);
});
