/**
 * Runs before every npm script, on the machine's own Node. It installs the packages, with a newer Node, if they are missing,
 * incomplete or not those of package-lock.json. Otherwise it only compares a stamp.
 */
import { spawnSync } from 'child_process';
import { createHash } from 'crypto';
import { existsSync, readFileSync, writeFileSync } from 'fs';
import { delimiter, dirname, join, sep } from 'path';
import { fileURLToPath } from 'url';

const LEAST_NODE = 20; // to install; npm 9 and later come with it
const LEAST_OWN_NODE = 24; // to run: it runs TypeScript natively

const root = dirname(fileURLToPath(import.meta.url));
const packages = join(root, 'node_modules');
const ownNode = join(packages, '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
/** Written when an installation is complete: the lockfile's digest and the machine that it was made for. */
const stampFile = join(packages, '.reindex-fleet-installed');

function main() {
  if (major(process.version) < LEAST_NODE) {
    return fail(
      `reindex-fleet needs Node ${LEAST_NODE} or later to install itself. This is ${process.version}. Install a later one: https://nodejs.org.`,
    );
  }
  const stamp = expectedStamp();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return 0;
  return install(stamp);
}

function expectedStamp() {
  const digest = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  return `${digest.digest('hex')} ${process.platform} ${process.arch}\n`;
}

function install(stamp) {
  const begin = Date.now();
  process.stderr.write('reindex-fleet installs its packages (npm ci). This takes a moment …\n');
  const result = runNpm(['ci', '--include=dev', '--no-audit', '--no-fund']);
  if (result.status !== 0) {
    return fail(
      `npm ci failed${result.error ? ` (${result.error.message})` : ''}:\n\n${words(result)}\n\n` +
        'Check the network and the registry (npm config get registry), then run the same command again.',
    );
  }
  const version = spawnSync(ownNode, ['--version'], {
    encoding: 'utf8',
    shell: process.platform === 'win32',
  }).stdout;
  if (!version || major(version) < LEAST_OWN_NODE) {
    return fail(
      `npm ci installed no Node ${LEAST_OWN_NODE} at ${ownNode} (${version ? version.trim() : 'nothing runs there'}). ` +
        'A script of its package installs it, so scripts must be on: npm config set ignore-scripts false.',
    );
  }
  writeFileSync(stampFile, stamp);
  const seconds = ((Date.now() - begin) / 1000).toFixed(1);
  process.stderr.write(
    `reindex-fleet installed its packages in ${seconds} s. Node ${version.trim()} runs it from here on.\n`,
  );
  return 0;
}

/** Uses the machine's Node and npm. `npm run` puts those of node_modules first, but npm ci is about to replace them. */
function runNpm(args) {
  const folders = (process.env.PATH || '').split(delimiter);
  const path = folders.filter((folder) => !folder.endsWith(`node_modules${sep}.bin`)).join(delimiter);
  const script = process.env.npm_execpath;
  const [command, ...first] = script && script.endsWith('.js') ? ['node', script] : ['npm'];
  return spawnSync(command, [...first, ...args], {
    cwd: root,
    encoding: 'utf8',
    env: Object.assign({}, process.env, { PATH: path }),
    maxBuffer: 64 * 1024 * 1024,
    shell: process.platform === 'win32',
  });
}

/** npm's words about an error. They begin with the cause and end with general help. */
function words(result) {
  const lines = `${result.stdout || ''}${result.stderr || ''}`.trim().split('\n');
  const errors = lines.filter((line) => /^npm (error|ERR!) [^ ]/.test(line));
  return (errors.length > 0 ? errors.slice(0, 12) : lines.slice(-12)).join('\n');
}

function major(version) {
  return Number.parseInt(version.replace('v', ''), 10);
}

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  return 1;
}

process.exitCode = main();
