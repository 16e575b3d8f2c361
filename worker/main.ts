import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger, pino } from 'pino';
import { loadDefinitions } from '../definition/load.ts';
import {
  type Ending,
  endingByItself,
  endingByParent,
  endingBySignal,
  endingByUncaughtError,
  endingOfStart,
} from './ending.ts';
import { Instance } from './instance/instance.ts';
import { readBootSettings, readSettings } from './settings.ts';
import { type Over, startWorker } from './start.ts';

/** Time for an orderly end. After it the process ends at once. Another worker then reads again what was not settled. */
const STOP_WITHIN_MS = 2_000;

const args = process.argv.slice(2);

/**
 * Runs the worker until a signal comes, its parent ends, its lease is over, or it is drained. On an EC2 instance it then
 * ends the instance. It also does so when it cannot start. So no instance is left that does nothing.
 */
async function main(): Promise<number> {
  // The reader of the log may go away. The worker goes on.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  const boot = readBootSettings(args, process.env);
  const log = logTo(boot.log_level);
  const signalled = endingBySignal();
  if (boot.platform === 'local') return (await live(null, log, [signalled])).exitCode;

  const crashed = endingByUncaughtError();
  const instance = new Instance(boot, log);
  const ending = await live(instance, log, [signalled, crashed]);
  if (ending.instance === 'kept') return ending.exitCode;
  log.info({ why: ending.why, decrement: ending.instance === 'removed' }, 'retiring the instance');
  const ended = instance.retire(ending.instance === 'removed').then(() => ending);
  return (await Promise.race([ended, signalled])).exitCode;
}

/** From the first setting to the last task. */
async function live(
  instance: Instance | null,
  log: Logger,
  outside: readonly Promise<Ending>[],
): Promise<Ending> {
  const over = Promise.withResolvers<Over>();
  const starting = start(instance, log, over.resolve);
  const started = await Promise.race([starting, ...outside]).catch(endingOfStart);
  if (!('worker' in started))
    return started.instance === 'kept' ? started : { ...started, instance: 'removed' };

  const { worker, settings } = started;
  log.info({ url: worker.url, worker_id: settings.id, build: worker.build }, 'listening');
  const notices = instance?.watch(worker, settings);
  const parent = settings.exit_with_parent ? [endingByParent()] : [];
  const ending = await Promise.race([over.promise.then(endingByItself), ...outside, ...parent]);
  log.info({ why: ending.why }, 'stopping');
  notices?.end();
  const stopped = worker
    .stop(`The worker stops: ${ending.why}.`)
    .catch((error: Error) => log.error({ error: error.stack }, 'the worker did not stop in order'));
  await Promise.race([stopped, sleep(STOP_WITHIN_MS)]);
  return ending;
}

async function start(instance: Instance | null, log: Logger, onOver: (over: Over) => void) {
  const settings = readSettings(args, process.env, await instance?.readValues());
  log.level = settings.log_level;
  const definitions = await loadDefinitions(settings.definitions);
  return { settings, worker: await startWorker(settings, definitions, log, onOver) };
}

function logTo(level: string): Logger {
  const destination = pino.destination({ fd: 1, sync: true });
  destination.on('error', () => undefined);
  return pino({ level, base: null }, destination);
}

try {
  process.exit(await main());
} catch (error) {
  process.exit(endingOfStart(error).exitCode);
}
