import { parseArgs } from 'node:util';
import { cacheDirectory, dataDirectory } from './cache.ts';
import { Keeper } from './keeper.ts';
import { EXIT_BUSY, type ServicePart } from './keeper-protocol.ts';
import { describeServices } from './services-text.ts';
import { askRunningKeeper } from './services.ts';

const ALL: ServicePart[] = ['example', 'search'];
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * The keeper's process. By hand (`npm run services`) it starts everything and stays until it is ended; with
 * `--while-used`, as `useServices` starts it, it ends with its last user.
 */
async function main(): Promise<number> {
  process.umask(0o022); // the services may run as another user, who must be able to read what is made here
  process.stdout.on('error', () => {}); // the terminal was closed: that alone ends nothing
  const { values } = parseArgs({
    options: {
      'while-used': { type: 'boolean', default: false },
      'cache-dir': { type: 'string', default: cacheDirectory(process.env) },
      'data-dir': { type: 'string' },
    },
  });
  const cacheDir = values['cache-dir'];
  const dataDir = values['data-dir'] ?? dataDirectory(cacheDir);
  const endsWithUsers = values['while-used'];
  const keeper = new Keeper({
    cacheDir,
    dataDir,
    environment: process.env,
    endsWithUsers,
    onProgress: console.log,
  });
  for (const name of SIGNALS) process.on(name, () => void end(keeper));
  if (!(await keeper.open())) return endsWithUsers ? EXIT_BUSY : tellOfOthers(dataDir);
  const code = endsWithUsers ? 0 : await startAll(keeper);
  await keeper.ended;
  return code;
}

function end(keeper: Keeper): Promise<void> {
  console.log('Ending the services.');
  return keeper.close();
}

async function startAll(keeper: Keeper): Promise<number> {
  try {
    console.log(`\n${describeServices(await keeper.want(ALL))}\n\nThey run until you end them with Ctrl-C.`);
    return 0;
  } catch (error) {
    console.error((error as Error).message);
    await keeper.close();
    return 1;
  }
}

async function tellOfOthers(dataDir: string): Promise<number> {
  const state = await askRunningKeeper(dataDir, ALL);
  if (!state) {
    console.error(
      'The services are being started or ended by another process just now: try again in some seconds.',
    );
    return 1;
  }
  console.log(
    `The services are up already, kept by process ${state.keeperPid}.\n\n${describeServices(state)}`,
  );
  if (state.endsWithUsers)
    console.log('\nThey were started by a command that is under way, and end with it.');
  return 0;
}

process.exitCode = await main();
process.exit();
