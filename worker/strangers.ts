import type { Socket } from 'node:net';

/** Bounds for connections on which no authorised request has arrived. */
export interface StrangerLimits {
  /** How many there are at most of those that are not fresh. */
  readonly maxStrangers: number;
  /** How long one lives. */
  readonly strangerTimeoutMs: number;
}

/** A caller sends its request as soon as it is connected. Until then it is not told apart. */
const FRESH_MS = 500;
/** The most connections, fresh ones too: more than a server accepts at once. */
const MAX_FRESH = 1_024;

/**
 * The connections of callers that have not shown the token. They are few and short. So they keep no place that the
 * orchestrator needs, and a new caller always gets far enough to show its token.
 */
export class Strangers {
  readonly #limits: StrangerLimits;
  /** By age, the oldest first. */
  readonly #timers = new Map<Socket, NodeJS.Timeout>();

  constructor(limits: StrangerLimits) {
    this.#limits = limits;
  }

  /** Takes a new connection in, and ends another one if there are too many. */
  add(socket: Socket): void {
    this.#timers.set(socket, setTimeout(() => this.#grow(socket), FRESH_MS).unref());
    socket.once('close', () => this.release(socket));
    if (this.#timers.size > MAX_FRESH) this.#oldestOfMost()?.destroy();
  }

  /** From now on the connection is no stranger's, or it is closed. */
  release(socket: Socket): void {
    clearTimeout(this.#timers.get(socket));
    this.#timers.delete(socket);
  }

  /** A connection is no longer fresh: where there are too many, it ends. */
  #grow(socket: Socket): void {
    const { maxStrangers, strangerTimeoutMs } = this.#limits;
    if (this.#timers.size > maxStrangers) return void socket.destroy();
    const end = (): void => void socket.destroy();
    this.#timers.set(socket, setTimeout(end, strangerTimeoutMs - FRESH_MS).unref());
  }

  /** The oldest connection of the address that has the most. So who opens many ends its own. */
  #oldestOfMost(): Socket | undefined {
    const byAddress = Map.groupBy(this.#timers.keys(), ({ remoteAddress }) => remoteAddress ?? '');
    const [most] = [...byAddress.values()].toSorted((a, b) => b.length - a.length);
    return most?.[0];
  }
}
