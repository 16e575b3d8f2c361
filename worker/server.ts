import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { KnownCallers } from './known-callers.ts';
import { type StrangerLimits, Strangers } from './strangers.ts';

/** Bounds for callers. A call of the contract stays far below each. */
export interface ServerLimits extends StrangerLimits {
  /** Time for the headers of a request. */
  readonly headersTimeoutMs: number;
  /** Time for a whole request. */
  readonly requestTimeoutMs: number;
  /** Connections of authorised callers. */
  readonly maxConnections: number;
}

export const SERVER_LIMITS: ServerLimits = {
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 10_000,
  maxConnections: 256,
  maxStrangers: 32,
  strangerTimeoutMs: 10_000,
};

/** All headers and the URL together. */
const MAX_HEADER_BYTES = 8 * 1024;
const KEEP_ALIVE_MS = 30_000;
/** Time for answers that are under way when the server takes no more calls. */
const LAST_ANSWERS_MS = 500;
/** How often the server looks for connections that are over their time. */
const CHECK_INTERVAL_MS = 500;

export interface Listening {
  /** With the port that was given or found. */
  readonly url: string;
  /** Takes no more calls. Answers under way have a moment to be sent. Then all connections are cut. */
  close(): Promise<void>;
}

export interface Served {
  readonly fetch: (request: Request) => Response | Promise<Response>;
  /** Whether a request is that of an authorised caller. The connections of others are closed with the answer. */
  readonly isAuthorized: (headers: IncomingHttpHeaders) => boolean;
}

/** Serves an app over HTTP. Rejects if it cannot listen at the address. */
export async function listen(
  { fetch, isAuthorized }: Served,
  host: string,
  port: number,
  limits: ServerLimits = SERVER_LIMITS,
): Promise<Listening> {
  const errorHandler = (): Response =>
    Response.json(
      { error: 'This request is malformed. Send a request as HTTP defines it.' },
      { status: 400 },
    );
  const options = {
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  };
  const answer = getRequestListener(fetch, { overrideGlobalObjects: false, errorHandler });
  const strangers = new Strangers(limits);
  const known = new KnownCallers(limits.maxConnections);
  const server = createServer(options, (incoming, outgoing) => {
    const { socket } = incoming;
    if (isAuthorized(incoming.headers)) {
      strangers.release(socket);
      known.serve(socket, outgoing);
    } else outgoing.shouldKeepAlive = false;
    outgoing.once('close', () => {
      if (!server.listening) server.closeIdleConnections();
    });
    void answer(incoming, outgoing);
  });
  server.on('connection', (socket) => strangers.add(socket));
  server.on('clientError', answerClientError);
  await opened(server, host, port);
  const { address, port: actual, family } = server.address() as AddressInfo;
  const name = family === 'IPv6' ? `[${address}]` : address;
  return { url: `http://${name}:${actual}`, close: () => closed(server) };
}

function opened(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cutting = setTimeout(() => server.closeAllConnections(), LAST_ANSWERS_MS);
    server.close(() => {
      clearTimeout(cutting);
      resolve();
    });
  });
}

const CLIENT_ERRORS: Readonly<Record<string, readonly [string, string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'The URL and headers are too long.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'The request took too long to arrive.'],
};

/** Answers requests that the HTTP parser refuses. The app does not see them. */
function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  const [status, sentence] = CLIENT_ERRORS[error.code ?? ''] ?? ['400 Bad Request', 'This is not HTTP.'];
  if (!socket.writable) return void socket.destroy();
  const body = JSON.stringify({ error: sentence });
  const head = `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
  socket.end(`${head}\r\n\r\n${body}`, () => socket.destroy());
}
