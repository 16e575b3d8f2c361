import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import type { Answering } from './case.ts';

export interface AnsweringProxy {
  readonly url: string;
  stop(): Promise<void>;
}

/** A proxy before the search node. It reads each call whole, and gives the case's answer in place of the node's. */
export async function startAnsweringProxy(targetUrl: string, answer: Answering): Promise<AnsweringProxy> {
  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const { method = 'GET', url: path = '/', headers } = incoming;
    const sent = await buffer(incoming);
    const body = (headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent).toString('utf8');
    const own = await answer({ method, path, body });
    if (own === null) return passOn(targetUrl, { incoming, sent }, outgoing);
    outgoing.writeHead(own.status, { 'content-type': 'application/json', ...own.headers });
    outgoing.end(own.body);
  };
  const server = createServer((incoming, outgoing) => {
    // An answer that cannot be made is a broken connection, which the command then tells of.
    handle(incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, stop: () => stop(server) };
}

function passOn(
  targetUrl: string,
  { incoming, sent }: { readonly incoming: IncomingMessage; readonly sent: Buffer },
  outgoing: ServerResponse,
): void {
  const { method = 'GET', url = '/', headers } = incoming;
  const onward = request(new URL(url, targetUrl), { method, headers }, (response) => {
    outgoing.writeHead(response.statusCode ?? 502, response.headers);
    response.pipe(outgoing);
  });
  onward.on('error', () => outgoing.destroy());
  outgoing.on('close', () => onward.destroy());
  onward.end(sent);
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
