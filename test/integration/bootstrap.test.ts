import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

/** Stands in for npm: notes its arguments, and "installs" a Node of the version that the test says. */
const FAKE_NPM = `
  const { appendFileSync, mkdirSync, writeFileSync } = require('node:fs');
  appendFileSync('npm-calls', process.argv.slice(2).join(' ') + '\\n');
  if (process.env.FAKE_FAILURE) {
    console.error('npm error code E404\\nnpm error no such package');
    process.exit(1);
  }
  mkdirSync('node_modules/.bin', { recursive: true });
  if (process.env.FAKE_VERSION) {
    writeFileSync('node_modules/.bin/node', '#!/bin/sh\\necho ' + process.env.FAKE_VERSION + '\\n', { mode: 0o755 });
  }
`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reindex-fleet-bootstrap-'));
  copyFileSync(fileURLToPath(new URL('../../bootstrap.mjs', import.meta.url)), join(folder, 'bootstrap.mjs'));
  writeFileSync(join(folder, 'package-lock.json'), '{}');
  writeFileSync(join(folder, 'npm.js'), FAKE_NPM);
});
afterEach(() => rmSync(folder, { recursive: true }));

function bootstrap(environment: Record<string, string> = { FAKE_VERSION: 'v24.1.0' }) {
  const env = { PATH: process.env['PATH'], npm_execpath: join(folder, 'npm.js'), ...environment };
  const { status, stdout, stderr } = spawnSync(process.execPath, ['bootstrap.mjs'], {
    cwd: folder,
    encoding: 'utf8',
    env,
  });
  return { status, stdout, stderr };
}

const calls = (): string[] =>
  existsSync(join(folder, 'npm-calls'))
    ? readFileSync(join(folder, 'npm-calls'), 'utf8').trim().split('\n')
    : [];

test('packages are installed when they are missing, and then no more', () => {
  const first = bootstrap();
  expect(first).toMatchObject({ status: 0, stdout: '' });
  expect(first.stderr).toMatch(/installed its packages in [0-9.]+ s\. Node v24.1.0 runs/);
  expect(bootstrap()).toEqual({ status: 0, stdout: '', stderr: '' });
  expect(calls()).toEqual(['ci --include=dev --no-audit --no-fund']);
});

test('packages are installed again when the lockfile is another', () => {
  bootstrap();
  appendFileSync(join(folder, 'package-lock.json'), '\n');
  expect(bootstrap().status).toBe(0);
  expect(calls()).toHaveLength(2);
});

test('a failed installation says why in the words of npm, and is tried again', () => {
  const failed = bootstrap({ FAKE_FAILURE: 'yes' });
  expect(failed.status).toBe(1);
  expect(failed.stderr).toContain('npm error code E404\nnpm error no such package');
  expect(failed.stderr).toContain('npm config get registry');
  expect(bootstrap().status).toBe(0);
});

test('an installation without a fitting Node fails', () => {
  expect(bootstrap({}).stderr).toContain('ignore-scripts');
  expect(bootstrap({ FAKE_VERSION: 'v22.0.0' }).status).toBe(1);
});
