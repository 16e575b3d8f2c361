import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './port.ts';
import { postgresqlBinaries } from './postgresql-binaries.ts';
import { endLeftOver, waitUntil } from './process-table.ts';
import { logTail, type ServiceProcess, startServiceProcess } from './service-process.ts';
import { giveToService, makeServiceDirectory, unprivilegedUser } from './unprivileged.ts';
import { ServicesFailure } from './services-failure.ts';

const USER = 'reindex';
const READY_TIMEOUT_MS = 60_000;
/** PostgreSQL's signals: SIGINT is its fast shutdown, SIGQUIT its immediate one (documentation, "Shutting Down the Server"). */
const SIGNALS = { stop: 'SIGINT', force: 'SIGQUIT' } as const;

/**
 * This database is for demonstration and tests. It is fast. It survives a crash of its processes, but not of the machine. It
 * listens only on 127.0.0.1 and makes no socket file.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

export interface PostgresqlOptions {
  /** Downloads and copies that all data sets share. */
  readonly cacheDir: string;
  /** The folder of this server: database files, password, log. Kept from start to start. */
  readonly dataDir: string;
  /** Server settings beside our own, e.g. `{max_prepared_transactions: '10'}`. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface Postgresql {
  /** With user and password, of the database `postgres`. */
  readonly url: string;
  readonly port: number;
  readonly user: string;
  /** Holds the password; mode 600. */
  readonly passwordFile: string;
  readonly pid: number;
  /** Whether the database files were made by this start. */
  readonly created: boolean;
  isRunning(): boolean;
  stop(): Promise<void>;
}

/** Starts the PostgreSQL from npm. It makes database files if there are none. Errors show the end of its log. */
export async function startPostgresql(options: PostgresqlOptions): Promise<Postgresql> {
  const { dataDir } = options;
  const binaries = await postgresqlBinaries(options.cacheDir);
  await makeServiceDirectory(dataDir);
  await endLeftOverPostgresql(dataDir);
  const created = !existsSync(databaseFiles(dataDir));
  if (created) await initialize(binaries, dataDir);

  const port = await freePort(await lastPort(dataDir));
  const server = await startServer(binaries, dataDir, {
    ...SETTINGS,
    ...options.settings,
    port: String(port),
  });
  const password = await readFile(passwordFile(dataDir), 'utf8');
  return {
    url: `postgresql://${USER}:${password}@127.0.0.1:${port}/postgres`,
    port,
    user: USER,
    passwordFile: passwordFile(dataDir),
    pid: server.pid,
    created,
    isRunning: () => !server.hasExited(),
    stop: () => server.stop(),
  };
}

/** Ends the server that a killed keeper left behind, and forgets one that is dead. */
export async function endLeftOverPostgresql(dataDir: string): Promise<void> {
  const pid = Number(lockLines(dataDir)[0]);
  if (!pid) return;
  await endLeftOver(pid, databaseFiles(dataDir), SIGNALS);
  // Another process of the same user may have its number by now. PostgreSQL would take that process for its predecessor.
  await rm(lockFile(dataDir), { force: true });
}

const databaseFiles = (dataDir: string): string => join(dataDir, 'database');
const passwordFile = (dataDir: string): string => join(dataDir, 'password');
const logFile = (dataDir: string): string => join(dataDir, 'postgresql.log');
const lockFile = (dataDir: string): string => join(databaseFiles(dataDir), 'postmaster.pid');

/** Lines of postmaster.pid: 1 process number, 4 port, 8 status (PostgreSQL's miscadmin.h); empty if there is no such file. */
function lockLines(dataDir: string): string[] {
  try {
    return readFileSync(lockFile(dataDir), 'utf8').split('\n');
  } catch {
    return [];
  }
}

async function initialize(binaries: string, dataDir: string): Promise<void> {
  const unfinished = `${databaseFiles(dataDir)}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await writeFile(passwordFile(dataDir), randomBytes(18).toString('base64url'), { mode: 0o600 });
  await chmod(passwordFile(dataDir), 0o600);
  await giveToService(passwordFile(dataDir));
  const options = ['--username', USER, '--pwfile', passwordFile(dataDir), '--auth', 'scram-sha-256'];
  const locale = [
    '--encoding',
    'UTF8',
    '--locale',
    'C',
    '--locale-provider',
    'builtin',
    '--builtin-locale',
    'C.UTF-8',
  ];
  await promisify(execFile)(
    join(binaries, 'bin', 'initdb'),
    ['--pgdata', unfinished, ...options, ...locale, '--no-sync', '--no-instructions'],
    { cwd: dataDir, ...unprivilegedUser() },
  ).catch((error: Error & { stderr?: string }) => {
    throw new ServicesFailure(`PostgreSQL's initdb failed in ${dataDir}:\n${error.stderr || error.message}`, {
      cause: error,
    });
  });
  await rename(unfinished, databaseFiles(dataDir));
}

/** The port of the last start. PostgreSQL keeps it in a file. */
async function lastPort(dataDir: string): Promise<number> {
  const options = await readFile(join(databaseFiles(dataDir), 'postmaster.opts'), 'utf8').catch(() => '');
  return Number(/port=(\d+)/.exec(options)?.[1] ?? 0);
}

async function startServer(
  binaries: string,
  dataDir: string,
  settings: Readonly<Record<string, string>>,
): Promise<ServiceProcess> {
  const server = await startServiceProcess({
    name: 'PostgreSQL',
    command: join(binaries, 'bin', 'postgres'),
    args: [
      '-D',
      databaseFiles(dataDir),
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    cwd: dataDir,
    logFile: logFile(dataDir),
    signals: SIGNALS,
  });
  const isReady = (): boolean => {
    const lines = lockLines(dataDir);
    return Number(lines[0]) === server.pid && lines[7]?.trim() === 'ready';
  };
  const settled = await waitUntil(() => isReady() || server.hasExited(), READY_TIMEOUT_MS);
  if (settled && !server.hasExited()) return server;
  await server.stop();
  const what = settled ? 'ended while starting' : `was not ready within ${READY_TIMEOUT_MS / 1000} s`;
  throw new ServicesFailure(
    `PostgreSQL ${what}. The end of ${logFile(dataDir)}:\n${logTail(logFile(dataDir))}`,
  );
}
