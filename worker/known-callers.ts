import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The connections of callers that have shown the token. Of too many, the one is ended that has been idle for longest. One
 * on which an answer is under way is never ended.
 */
export class KnownCallers {
  readonly #max: number;
  /** Answers under way on each connection. Those without are ordered by when they became idle. */
  readonly #busy = new Map<Socket, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Notes a request on a connection. */
  serve(socket: Socket, outgoing: ServerResponse): void {
    if (!this.#busy.has(socket)) socket.once('close', () => this.#busy.delete(socket));
    this.#busy.set(socket, (this.#busy.get(socket) ?? 0) + 1);
    outgoing.once('close', () => this.#answered(socket));
    if (this.#busy.size > this.#max) this.#idlest()?.destroy();
  }

  #answered(socket: Socket): void {
    const busy = this.#busy.get(socket);
    if (busy === undefined) return;
    this.#busy.delete(socket);
    this.#busy.set(socket, busy - 1);
  }

  #idlest(): Socket | undefined {
    return [...this.#busy].find(([, busy]) => busy === 0)?.[0];
  }
}
