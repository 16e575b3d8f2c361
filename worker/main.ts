import { CommanderError } from 'commander';
import { type Logger, pino } from 'pino';
import { Faults } from '../definition/faults.ts';
import { loadDefinitions } from '../definition/load.ts';
import { readSettings, SettingsError, type WorkerSettings } from './settings.ts';
import { startWorker } from './start.ts';

/** Time for an orderly end; after it the process ends as it is. Redoing what was not settled does no harm. */
const STOP_WITHIN_MS = 2_000;
const EXIT_FAILED = 1;
const EXIT_WRONG_SETTINGS = 2;

/** Runs the worker until a signal, its parent's end, the end of its lease, or until it is drained. */
async function main(): Promise<void> {
  // Whoever reads the log may go away; that ends no worker.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  const settings = readSettings(process.argv.slice(2), process.env);
  const definitions = await loadDefinitions(settings.definitions);
  const log = logTo(settings);
  const stopping = Promise.withResolvers<{ why: string; code: number }>();
  const stop = (why: string, code: number): void => stopping.resolve({ why, code });
  process.on('SIGTERM', () => stop('SIGTERM', 143));
  process.on('SIGINT', () => stop('SIGINT', 130));
  if (settings.exit_with_parent)
    endWithParent(() => stop('standard input was closed: the parent is gone', 0));

  const worker = await startWorker(settings, definitions, log, (why) => stop(why, 0));
  log.info({ url: worker.url, worker_id: settings.id, build: worker.build }, 'listening');
  const { why, code } = await stopping.promise;
  log.info({ why }, 'stopping');
  setTimeout(() => process.exit(code), STOP_WITHIN_MS).unref();
  await worker.stop(`The worker stops: ${why}.`);
  process.exit(code);
}

function logTo(settings: WorkerSettings): Logger {
  const destination = pino.destination({ fd: 1, sync: true });
  destination.on('error', () => undefined);
  return pino({ level: settings.log_level, base: null }, destination);
}

function endWithParent(onEnd: () => void): void {
  process.stdin.on('end', onEnd).on('close', onEnd).on('error', onEnd).resume();
}

try {
  await main();
} catch (error) {
  const isHelp = error instanceof CommanderError && error.exitCode === 0;
  const isSettings = error instanceof SettingsError || error instanceof Faults;
  if (!isHelp) process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(isHelp ? 0 : isSettings ? EXIT_WRONG_SETTINGS : EXIT_FAILED);
}
