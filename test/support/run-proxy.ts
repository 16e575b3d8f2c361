import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestScope } from './run-setup.ts';

/** An answer in place of the cluster's. Null: the call goes through. */
export type Interception = { readonly status: number; readonly type: string; readonly reason: string } | null;

/** One call; the same object before it goes on and when it is answered. */
export interface ProxiedCall {
  readonly method: string;
  readonly path: string;
}

/** A proxy between a run and the search node. A test says what it does to calls. */
export interface SearchProxy {
  readonly url: string;
  /** Asked for each call, with its `authorization`; replaced at will. */
  intercept: (method: string, path: string, authorization: string | undefined) => Interception;
  /** Awaited for each call before it goes on to the node; false: it does not. Replaced at will. */
  beforeCall: (call: ProxiedCall) => Promise<boolean>;
  /** Awaited for each call that the node has answered, before the caller hears of it. */
  beforeAnswer: (call: ProxiedCall) => Promise<void>;
  /** True: the caller gets 504 at once, as from a gateway that gives up, and the call goes on behind it. Replaced at will. */
  givesUp: (call: ProxiedCall) => boolean;
  /** `METHOD /path` of each call so far that was not let through. */
  readonly refused: string[];
  /** Cuts all connections and takes no more until `up`. */
  down(): Promise<void>;
  up(): Promise<void>;
}

export async function startProxy(scope: TestScope, targetUrl: string): Promise<SearchProxy> {
  let server = createServer();
  const refused: string[] = [];
  const listen = async (port: number): Promise<number> => {
    server = createServer((incoming, answer) => handle(incoming, answer));
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const handle = (incoming: IncomingMessage, answer: ServerResponse): void => {
    const { method = '', url = '', headers } = incoming;
    const interception = proxy.intercept(method, url, headers.authorization);
    if (interception === null) return void forward(proxy, targetUrl, incoming, answer);
    refused.push(`${method} ${url}`);
    incoming.resume().on('end', () => refuse(answer, interception));
  };
  const port = await listen(0);
  const proxy: SearchProxy = {
    url: `http://127.0.0.1:${port}`,
    intercept: () => null,
    beforeCall: () => Promise.resolve(true),
    beforeAnswer: () => Promise.resolve(),
    givesUp: () => false,
    refused,
    down: () => close(server),
    up: async () => void (await listen(port)),
  };
  scope.onTestFinished(() => close(server));
  return proxy;
}

async function forward(
  proxy: SearchProxy,
  targetUrl: string,
  incoming: IncomingMessage,
  answer: ServerResponse,
): Promise<void> {
  const { method = 'GET', headers, url = '' } = incoming;
  const call: ProxiedCall = { method, path: url };
  if (!(await proxy.beforeCall(call))) return void answer.destroy();
  const givesUp = proxy.givesUp(call);
  const pass = async (response: IncomingMessage): Promise<void> => {
    await proxy.beforeAnswer(call);
    if (givesUp) return void response.resume();
    answer.writeHead(response.statusCode ?? 502, response.headers);
    response.pipe(answer);
  };
  const outgoing = request(new URL(url, targetUrl), { method, headers }, (response) => void pass(response));
  outgoing.on('error', () => answer.destroy());
  if (!givesUp) answer.on('close', () => outgoing.destroy());
  incoming.pipe(outgoing);
  if (givesUp) incoming.on('end', () => refuse(answer, GATEWAY_TIMEOUT));
}

const GATEWAY_TIMEOUT = { status: 504, type: 'gateway_timeout', reason: 'the gateway gave up' };

/** In the form of OpenSearch's own errors. */
function refuse(answer: ServerResponse, { status, type, reason }: NonNullable<Interception>): void {
  const error = { root_cause: [{ type, reason }], type, reason };
  answer.writeHead(status, { 'content-type': 'application/json' });
  answer.end(JSON.stringify({ error, status }));
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  if (server.listening) await new Promise((resolve) => server.close(resolve));
}
