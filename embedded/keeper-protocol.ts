import type { Socket } from 'node:net';

/**
 * The protocol between the keeper of the embedded services and its users: JSON lines over a socket in the data folder. A user
 * says what it wants. The keeper reports its progress, and then the addresses. The user keeps the connection as long as it
 * uses the services. A user that dies loses its connection, so the keeper always knows whether it is still needed.
 */
export type ServicePart = 'database' | 'example' | 'search' | 'development_node';

export interface UserMessage {
  readonly want: readonly ServicePart[];
}

export type KeeperMessage =
  | { readonly progress: string }
  | { readonly ready: ServicesState }
  | { readonly failed: string };

export interface ServicesState {
  readonly keeperPid: number;
  /** Whether the keeper ends with its last user. If not, it stays until somebody ends it. */
  readonly endsWithUsers: boolean;
  /** Its addresses have passwords, so it must never go to a log. */
  readonly database: DatabaseState | null;
  readonly search: SearchState | null;
  readonly developmentUrl: string | null;
  readonly timings: readonly Timing[];
}

export interface DatabaseState {
  /** Of the database `postgres`. */
  readonly url: string;
  /** Address of the database with the example. Null: nobody wanted it. */
  readonly exampleUrl: string | null;
  readonly port: number;
  readonly user: string;
  readonly passwordFile: string;
}

export interface SearchState {
  readonly url: string;
  /** `OpenSearch 3.6.0`, or `built-in development node`. */
  readonly node: string;
  /** A clause that says why it is not a real OpenSearch. Null: it is one. */
  readonly missing: string | null;
}

/** What a step of the start took. */
export interface Timing {
  readonly name: string;
  readonly ms: number;
}

/** The exit code of a keeper that found another one at work: EX_TEMPFAIL of sysexits.h. */
export const EXIT_BUSY = 75;

export function send(socket: Socket, message: UserMessage | KeeperMessage): void {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
}

/** Calls `onMessage` for each line that arrives. */
export function receive(socket: Socket, onMessage: (message: unknown) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onMessage(JSON.parse(line));
  });
}
