/**
 * Runs before every npm script, on the machine's own Node. It installs the packages, a newer Node among them, when they
 * are missing, incomplete or not those of package-lock.json. Otherwise it only compares a stamp and is done.
 *
 * `node bootstrap.mjs` installs every package. With `--omit=dev` it installs what a run needs; a later script that needs
 * more adds the rest. With `--search-node` the embedded search node is fetched while npm installs.
 */
import { spawn, spawnSync } from 'child_process';
import { createHash } from 'crypto';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'fs';
import { delimiter, dirname, join, sep } from 'path';
import { setTimeout as sleep } from 'timers/promises';
import { fileURLToPath } from 'url';

const LEAST_NODE = 20; // to install; npm 9 and later come with it
const LEAST_OWN_NODE = 24; // to run: it runs TypeScript natively

const root = dirname(fileURLToPath(import.meta.url));
const packages = join(root, 'node_modules');
const isWindows = process.platform === 'win32';
const ownNode = join(packages, '.bin', isWindows ? 'node.cmd' : 'node');
/** Written when an installation is complete: the lockfile's digest, the machine that it was made for, and what it holds. */
const stampFile = join(packages, '.reindex-fleet-installed');
/** Holds the number of the process that installs packages here. */
const lockFile = join(root, '.installing');
/** Where Node is installed by itself, so that it is there before all the other packages are. */
const nodeFolder = join(root, '.installing-node');

const wantsAll = !process.argv.includes('--omit=dev');
const wantsSearchNode = process.argv.includes('--search-node');

async function main() {
  if (major(process.version) < LEAST_NODE) {
    return fail(
      `reindex-fleet needs Node ${LEAST_NODE} or later to install itself. This is ${process.version}. Install a later one: https://nodejs.org.`,
    );
  }
  if (isInstalled(wantsAll)) return 0;
  try {
    return await alone(() => (isInstalled(wantsAll) ? 0 : install()));
  } catch (error) {
    return fail(
      `The packages cannot be installed in ${root}: ${error.message}. See that this user may write there, then run the same command again.`,
    );
  }
}

function readStamp() {
  return existsSync(stampFile) ? readFileSync(stampFile, 'utf8') : '';
}

function stampOf(all) {
  const digest = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  return `${digest.digest('hex')} ${process.platform} ${process.arch} ${all ? 'all' : 'omit=dev'}\n`;
}

/** An installation with the packages of development serves those who need none of them too. */
function isInstalled(all) {
  const stamp = readStamp();
  return stamp === stampOf(true) || (!all && stamp === stampOf(false));
}

/** Waits for another process that installs packages here, then does the work; a lock that a dead one left is removed. */
async function alone(work) {
  for (let told = false; !takeLock(); told = true) {
    const holder = lockHolder();
    if (!told && holder !== '') {
      say(
        `process ${holder} installs packages here; this command waits for it. If that is another program, delete ${lockFile}.`,
      );
    }
    await sleep(100);
  }
  try {
    return await work();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

/** A link appears at once with its content, and for one process only. */
function takeLock() {
  const draft = `${lockFile}-${process.pid}`;
  writeFileSync(draft, String(process.pid));
  try {
    linkSync(draft, lockFile);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    clearDeadLock();
    return false;
  } finally {
    rmSync(draft, { force: true });
  }
}

function lockHolder() {
  try {
    return readFileSync(lockFile, 'utf8');
  } catch {
    return ''; // it was given back meanwhile
  }
}

/** By a rename, which one process does; it gives back what another took between the look and the rename. */
function clearDeadLock() {
  const holder = lockHolder();
  if (holder === '' || isAlive(Number(holder))) return;
  const aside = `${lockFile}-${process.pid}-dead`;
  try {
    renameSync(lockFile, aside);
  } catch {
    return; // another process was faster
  }
  if (readFileSync(aside, 'utf8') !== holder) linkSync(aside, lockFile);
  rmSync(aside);
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

async function install() {
  const begin = Date.now();
  if (isInstalled(false)) return finish(await addRest(), true, begin);
  const all = wantsAll || readStamp().endsWith(' all\n'); // a developer's stays one when the lockfile changes
  say(`installing packages${all ? '' : ' that a run needs'}, a moment (npm ci) …`);
  rmSync(stampFile, { force: true });
  // npm would run the script that fetches Node after everything else; so Node comes by itself, at the same time.
  const scripts = isWindows ? [] : ['--ignore-scripts'];
  const [node, rest] = await Promise.all([
    isWindows ? { status: 0 } : installNode(),
    npmFromCache(['ci', all ? '--include=dev' : '--omit=dev', ...scripts, '--no-audit', '--no-fund']),
  ]);
  if (rest.status === 0 && node.status === 0 && !isWindows) putNode();
  rmSync(nodeFolder, { recursive: true, force: true });
  return finish(rest.status === 0 ? node : rest, all, begin);
}

/** npm ci would empty node_modules, also under commands that run. npm install adds what is missing; a rehearsal of npm ci first says whether package.json and lockfile agree, so that exactly the lockfile's packages come. */
async function addRest() {
  say('installing the packages of development, a moment (npm install) …');
  const rehearsal = await npm(['ci', '--include=dev', '--dry-run', '--ignore-scripts', '--no-audit']);
  if (rehearsal.status !== 0) return rehearsal;
  rmSync(stampFile, { force: true });
  return npmFromCache([
    'install',
    '--no-save',
    '--include=dev',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
  ]);
}

async function installNode() {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const { version } = lock.packages['node_modules/node'];
  rmSync(nodeFolder, { recursive: true, force: true });
  mkdirSync(nodeFolder);
  writeFileSync(join(nodeFolder, 'package.json'), '{}');
  const result = await npmFromCache(
    ['install', `node@${version}`, '--no-save', '--no-package-lock', '--no-audit', '--no-fund'],
    nodeFolder,
  );
  if (result.status === 0 && wantsSearchNode) fetchSearchNode();
  return result;
}

const earlyNode = () => join(nodeFolder, 'node_modules', 'node', 'bin', 'node');

/** To where the script of its package puts it. The folder that it was installed in goes; the file stays. */
function putNode() {
  if (!existsSync(earlyNode())) return;
  mkdirSync(join(packages, 'node', 'bin'), { recursive: true });
  mkdirSync(join(packages, '.bin'), { recursive: true });
  linkSync(earlyNode(), join(packages, 'node', 'bin', 'node'));
  rmSync(ownNode, { force: true });
  symlinkSync(join('..', 'node', 'bin', 'node'), ownNode);
}

/** Goes on beside the command. Who has settings of their own may need no embedded search node: then the command fetches it. */
function fetchSearchNode() {
  const own = ['REINDEX_SETTINGS', 'REINDEX_STACK'].some((name) => process.env[name]);
  if (own || existsSync(join(root, 'reindex-fleet.yaml')) || !existsSync(earlyNode())) return;
  const stdio = ['ignore', 'inherit', 'inherit'];
  spawn(earlyNode(), [join(root, 'embedded', 'fetch.ts')], { cwd: root, stdio }).unref();
}

function finish(result, all, begin) {
  if (result.status !== 0) {
    return fail(
      `npm ${result.command} failed${result.error ? ` (${result.error.message})` : ''}:\n\n${words(result.output)}\n\n` +
        'Check the network and the registry (npm config get registry), then run the same command again.',
    );
  }
  const version = spawnSync(ownNode, ['--version'], { encoding: 'utf8', shell: isWindows }).stdout;
  if (!version || major(version) < LEAST_OWN_NODE) {
    return fail(
      `npm ${result.command} installed no Node ${LEAST_OWN_NODE} at ${ownNode} (${version ? version.trim() : 'nothing runs there'}). ` +
        'A script of its package installs it, so scripts must be on: npm config set ignore-scripts false.',
    );
  }
  writeFileSync(stampFile, stampOf(all));
  const seconds = ((Date.now() - begin) / 1000).toFixed(1);
  say(`packages installed in ${seconds} s; Node ${version.trim()} runs from here on.`);
  return 0;
}

/**
 * npm does not ask the registry again for what its cache knows: a version never changes. If the cache is older than a
 * version that is wanted (ETARGET), npm asks for everything.
 */
async function npmFromCache(args, cwd = root) {
  const result = await npm([...args, '--prefer-offline'], cwd);
  return result.status !== 0 && result.output.includes('ETARGET') ? npm(args, cwd) : result;
}

/** With the machine's Node and npm: those in node_modules, which npm run puts first, are about to be replaced. */
function npm(args, cwd = root) {
  const folders = (process.env.PATH || '').split(delimiter);
  const path = folders.filter((folder) => !folder.endsWith(`node_modules${sep}.bin`)).join(delimiter);
  const script = process.env.npm_execpath;
  const [command, ...first] = script && script.endsWith('.js') ? ['node', script] : ['npm'];
  const child = spawn(command, [...first, ...args], {
    cwd,
    env: Object.assign({}, process.env, { PATH: path }),
    shell: isWindows,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ status: 1, command: args[0], output, error }));
    child.once('close', (status) => resolve({ status, command: args[0], output }));
  });
}

/** npm's words about an error. They begin with the cause and end with general help. */
function words(output) {
  const lines = output.trim().split('\n');
  const errors = lines.filter((line) => /^npm (error|ERR!) [^ ]/.test(line));
  return (errors.length > 0 ? errors.slice(0, 12) : lines.slice(-12)).join('\n');
}

function major(version) {
  return Number.parseInt(version.replace('v', ''), 10);
}

function say(sentence) {
  process.stderr.write(`reindex-fleet: ${sentence}\n`);
}

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  return 1;
}

process.exitCode = await main();
