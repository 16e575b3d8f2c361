import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

/** Stands in for Pulumi's CLI, which runs programs with the `node` that is on PATH. */
const FAKE_PULUMI = '#!/bin/sh\nnode --version\nprintf "%s\\n" "$@"\n';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reindex-fleet-pulumi-'));
  writeFileSync(join(folder, 'pulumi'), FAKE_PULUMI, { mode: 0o755 });
});
afterEach(() => rmSync(folder, { recursive: true }));

test('npm run pulumi runs the machine’s CLI with the Node of the package', () => {
  const machines = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((path) => !path.endsWith(`node_modules${sep}.bin`));
  // Without the script before it, which installs packages where a test has none to install.
  const command = ['run', '--silent', '--ignore-scripts', 'pulumi', '--', 'preview', '--stack', 'my stack'];
  const { status, stdout } = spawnSync('npm', command, {
    cwd: REPOSITORY,
    encoding: 'utf8',
    env: { HOME: folder, PATH: [folder, ...machines].join(delimiter) },
  });
  expect(stdout.trim().split('\n')).toEqual([
    expect.stringMatching(/^v24\./),
    'preview',
    '--stack',
    'my stack',
  ]);
  expect(status).toBe(0);
});

test('npm run pulumi installs the packages first, and none of them is called pulumi', () => {
  const { scripts } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  expect(scripts).toMatchObject({ prepulumi: 'node bootstrap.mjs', pulumi: 'pulumi' });
  expect(existsSync(join(REPOSITORY, 'node_modules', '.bin', 'pulumi'))).toBe(false);
});
