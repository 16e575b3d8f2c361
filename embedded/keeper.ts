import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import {
  type KeeperMessage,
  receive,
  send,
  type ServicePart,
  type ServicesState,
  type UserMessage,
} from './keeper-protocol.ts';
import { keeperFolder, makeKeeperFolder, socketPath } from './keeper-folder.ts';
import { takeLock } from './lock.ts';
import { ServiceParts } from './service-parts.ts';
import { ServicesFailure } from './services-failure.ts';

/** A keeper ends if nobody connects for this long after its start, because its starter has died. */
const FIRST_USER_TIMEOUT_MS = 10_000;

export interface KeeperOptions {
  readonly cacheDir: string;
  readonly dataDir: string;
  readonly environment: NodeJS.ProcessEnv;
  /** True: it ends with its last user. False: it stays until it is closed. */
  readonly endsWithUsers: boolean;
  readonly onProgress: (line: string) => void;
}

/**
 * Keeps the embedded services of one data folder. Each folder has at most one keeper at a time. Users connect to its socket, see
 * keeper-protocol.ts.
 */
export class Keeper {
  readonly #options: KeeperOptions;
  readonly #parts: ServiceParts;
  readonly #abort = new AbortController();
  readonly #server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
  readonly #users = new Set<Socket>();
  readonly #ended = Promise.withResolvers<void>();
  #closed: Promise<void> | null = null;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#parts = new ServiceParts({
      ...options,
      signal: this.#abort.signal,
      onProgress: (line) => this.#progress(line),
    });
  }

  /** Resolves when the keeper has closed. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Takes the folder's lock and listens for users. False: another keeper has the lock. */
  async open(): Promise<boolean> {
    const { dataDir, endsWithUsers } = this.#options;
    await makeKeeperFolder(dataDir);
    if (!(await takeLock(keeperFolder(dataDir)))) return false;
    await this.#parts.endLeftOvers();
    await rm(socketPath(dataDir), { force: true });
    this.#server.listen(socketPath(dataDir));
    await once(this.#server, 'listening');
    if (endsWithUsers) setTimeout(() => void this.#closeIfUnused(), FIRST_USER_TIMEOUT_MS).unref();
    return true;
  }

  /** Starts the wanted services that do not run yet. */
  async want(parts: readonly ServicePart[]): Promise<ServicesState> {
    this.#abort.signal.throwIfAborted();
    const state = await this.#parts.start(parts);
    return { keeperPid: process.pid, endsWithUsers: this.#options.endsWithUsers, ...state };
  }

  /** Ends all that it started. Then it closes its users' connections, so they know that it is done. Further calls do nothing. */
  close(): Promise<void> {
    this.#closed ??= this.#closeAll();
    return this.#closed;
  }

  async #closeAll(): Promise<void> {
    this.#server.close();
    this.#abort.abort(
      new ServicesFailure('Another command ends the embedded services just now. Give the command again.'),
    );
    await this.#parts.stop();
    for (const socket of this.#users) socket.destroy();
    this.#ended.resolve();
  }

  #accept(socket: Socket): void {
    if (this.#closed) {
      socket.destroy(); // this user came too late, and finds or starts the next keeper
      return;
    }
    this.#users.add(socket);
    socket.on('error', () => socket.destroy()); // a user that died; its connection's end says the same
    socket.once('end', () => this.#leave(socket));
    socket.once('close', () => this.#leave(socket));
    receive(socket, (message) => void this.#answer(socket, message as UserMessage));
  }

  async #answer(socket: Socket, message: UserMessage): Promise<void> {
    const answer: KeeperMessage = await this.want(message.want).then(
      (ready) => ({ ready }),
      (error: Error) => ({ failed: error.message }),
    );
    send(socket, answer);
  }

  #leave(socket: Socket): void {
    if (!this.#users.delete(socket)) return;
    void this.#closeIfUnused().finally(() => socket.end());
  }

  async #closeIfUnused(): Promise<void> {
    if (this.#options.endsWithUsers && this.#users.size === 0) await this.close();
  }

  #progress(line: string): void {
    this.#options.onProgress(line);
    for (const socket of this.#users) send(socket, { progress: line });
  }
}
