import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { dataDirectory } from './cache.ts';
import {
  EXIT_BUSY,
  type KeeperMessage,
  receive,
  send,
  type ServicePart,
  type ServicesState,
  type Timing,
} from './keeper-protocol.ts';
import { keeperLog, makeKeeperFolder, socketPath } from './keeper-folder.ts';
import { logTail } from './service-process.ts';
import { ServicesFailure } from './services-failure.ts';

const KEEPER = fileURLToPath(new URL('./main.ts', import.meta.url));
/** How long a keeper may take until users can connect, with the end of an earlier keeper before it. */
const CONNECT_TIMEOUT_MS = 45_000;
const ATTEMPTS = 3;
/** The keeper ends each service by force after 8 s. */
const STOP_TIMEOUT_MS = 20_000;

export interface UseServicesOptions {
  /** See `cacheDirectory`. */
  readonly cacheDir: string;
  /** Where database, indexes and logs lie; by default `dataDirectory(cacheDir)`. */
  readonly dataDir?: string;
  readonly database: boolean;
  readonly search: boolean;
  /** Whether the database shall have the example. By default it has. */
  readonly example?: boolean;
  /** Whether to use the built-in development node also if there is an OpenSearch. By default not. */
  readonly developmentNode?: boolean;
  readonly onProgress: (line: string) => void;
}

export interface EmbeddedServices {
  /** Address of the database with the example, or else of `postgres`. Null: not wanted. It has the password, so never log it. */
  readonly databaseUrl: string | null;
  readonly searchUrl: string | null;
  /** `OpenSearch 3.6.0` or `built-in development node`; null if it was not wanted. */
  readonly searchNode: string | null;
  /** Why the search node is the built-in one. Null: it is not. */
  readonly searchMissing: string | null;
  readonly developmentUrl: string | null;
  /** False: they were already running. */
  readonly startedHere: boolean;
  /** How long the start took, step by step. Empty: they were already running. */
  readonly timings: readonly Timing[];
  /**
   * Says that this process no longer needs them. When it resolves, services that were started for this use and that nobody else
   * uses have ended. The keeper also notices a process that dies without calling it.
   */
  stop(): Promise<void>;
}

/**
 * Uses the embedded services of a data folder. If none run, it starts a keeper for them, which ends with its last user. Several
 * processes may do so at once.
 */
export async function useServices(options: UseServicesOptions): Promise<EmbeddedServices> {
  const dataDir = options.dataDir ?? dataDirectory(options.cacheDir);
  for (let attempt = 1; ; attempt += 1) {
    const { socket, keeper } = await reachKeeper(options.cacheDir, dataDir);
    try {
      const state = await ask(socket, wantedParts(options), options.onProgress);
      socket.unref();
      return describe(state, keeper?.pid === state.keeperPid, () => leave(socket));
    } catch (error) {
      await leave(socket);
      if (!(error instanceof KeeperEnded) || attempt === ATTEMPTS) throw error;
    }
  }
}

/** Asks a running keeper for services, without staying its user. Null: no keeper can be reached. */
export async function askRunningKeeper(dataDir: string, want: ServicePart[]): Promise<ServicesState | null> {
  const socket = await tryConnect(socketPath(dataDir));
  if (!socket) return null;
  try {
    return await ask(socket, want, () => {});
  } finally {
    await leave(socket);
  }
}

/** The keeper ended before it answered, for example because its last user left just when this one came. */
class KeeperEnded extends ServicesFailure {
  override readonly move = 'try-again';
}

function wantedParts(options: UseServicesOptions): ServicePart[] {
  const { database, search, example = true, developmentNode = false } = options;
  const wishes: Record<ServicePart, boolean> = {
    database,
    example: database && example,
    search,
    development_node: developmentNode,
  };
  return (Object.keys(wishes) as ServicePart[]).filter((part) => wishes[part]);
}

function describe(state: ServicesState, startedHere: boolean, stop: () => Promise<void>): EmbeddedServices {
  return {
    databaseUrl: state.database ? (state.database.exampleUrl ?? state.database.url) : null,
    searchUrl: state.search?.url ?? null,
    searchNode: state.search?.node ?? null,
    searchMissing: state.search?.missing ?? null,
    developmentUrl: state.developmentUrl,
    startedHere,
    timings: startedHere ? state.timings : [],
    stop,
  };
}

/** Connects to the keeper of a data folder. It starts one if there is none, or if the present one ends just now. */
async function reachKeeper(
  cacheDir: string,
  dataDir: string,
): Promise<{ socket: Socket; keeper: ChildProcess | null }> {
  const deadline = performance.now() + CONNECT_TIMEOUT_MS;
  let keeper: ChildProcess | null = null;
  for (;;) {
    const socket = await tryConnect(socketPath(dataDir));
    if (socket) return { socket, keeper };
    if (keeper && keeper.exitCode !== null && keeper.exitCode !== EXIT_BUSY) throw startFailure(dataDir);
    if (performance.now() > deadline) throw startFailure(dataDir);
    if (!keeper || keeper.exitCode === EXIT_BUSY) keeper = await spawnKeeper(cacheDir, dataDir);
    await sleep(25);
  }
}

async function tryConnect(path: string): Promise<Socket | null> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return socket;
  } catch {
    return null;
  }
}

/** Starts it in a session of its own. A terminal's Ctrl-C ends this process first, which may still need the services. */
async function spawnKeeper(cacheDir: string, dataDir: string): Promise<ChildProcess> {
  await makeKeeperFolder(dataDir);
  const log = openSync(keeperLog(dataDir), 'a', 0o600);
  const keeper = spawn(
    process.execPath,
    [KEEPER, '--while-used', '--cache-dir', cacheDir, '--data-dir', dataDir],
    {
      cwd: '/',
      stdio: ['ignore', log, log],
      detached: true,
    },
  );
  closeSync(log);
  await once(keeper, 'spawn');
  keeper.unref();
  return keeper;
}

function startFailure(dataDir: string): ServicesFailure {
  return new ServicesFailure(
    `The embedded services do not start. The end of ${keeperLog(dataDir)}:\n${logTail(keeperLog(dataDir))}`,
  );
}

/** Sends what is wanted, and waits until it runs. */
function ask(
  socket: Socket,
  want: ServicePart[],
  onProgress: (line: string) => void,
): Promise<ServicesState> {
  const { promise, resolve, reject } = Promise.withResolvers<ServicesState>();
  socket.on('error', reject);
  socket.once('close', () =>
    reject(
      new KeeperEnded(
        'Another command ended the embedded services while they started. Give the command again.',
      ),
    ),
  );
  receive(socket, (received) => {
    const message = received as KeeperMessage;
    if ('ready' in message) resolve(message.ready);
    else if ('failed' in message) reject(new ServicesFailure(message.failed));
    else onProgress(message.progress);
  });
  send(socket, { want });
  return promise;
}

/** Ends the use. The keeper closes the connection at once if others need the services, or else after it has ended them. */
async function leave(socket: Socket): Promise<void> {
  if (socket.closed) return;
  socket.ref();
  socket.end();
  await once(socket, 'close', { signal: AbortSignal.timeout(STOP_TIMEOUT_MS) }).catch(() => socket.destroy());
}
