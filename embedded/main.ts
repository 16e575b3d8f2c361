import { parseArgs } from 'node:util';
import { cacheDirectory, dataDirectory } from './cache.ts';
import { Keeper } from './keeper.ts';
import { EXIT_BUSY, type ServicePart } from './keeper-protocol.ts';
import { describeServices } from './services-text.ts';
import { askRunningKeeper } from './services.ts';

const ALL: ServicePart[] = ['example', 'search'];
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * The keeper's process. `npm run services` starts everything and stays until somebody ends it. With `--while-used`, which
 * `useServices` sets, it ends with its last user.
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
  console.log('The services end.');
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
    console.error('Another process starts or ends the services just now. Try again in some seconds.');
    return 1;
  }
  console.log(
    `The services are already up. Process ${state.keeperPid} keeps them.\n\n${describeServices(state)}`,
  );
  if (state.endsWithUsers) console.log('\nA command that is under way started them. They end with it.');
  return 0;
}

process.exitCode = await main();
process.exit();
