import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Indexes, type Refusal, refusal } from './development-node/indexes.ts';
import { stringify } from './development-node/json.ts';
import { type Answer, answer } from './development-node/routes.ts';

export interface DevelopmentNode {
  readonly url: string;
  stop(): Promise<void>;
}

const MAX_BODY_BYTES = 100 * 1024 * 1024;

/**
 * A small search node for development and tests. It is one node with one shard in memory, and forgets everything when it stops.
 * It answers the calls of this project as OpenSearch does; the contract suite compares the two. It refuses all other calls.
 */
export async function startDevelopmentNode({
  host,
  port,
}: {
  host: string;
  port: number;
}): Promise<DevelopmentNode> {
  const indexes = new Indexes();
  const server = createServer((request, response) => {
    void serve(indexes, request, response);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  const { port: actual } = server.address() as AddressInfo;
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://${host}:${actual}`, stop };
}

async function serve(indexes: Indexes, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { status, body } = await respond(indexes, request);
  const text = request.method === 'HEAD' ? '' : stringify(body);
  response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8' }).end(text);
}

async function respond(indexes: Indexes, request: IncomingMessage): Promise<Answer> {
  try {
    const text = await readBody(request);
    const url = new URL(request.url ?? '/', 'http://node');
    return await answer(indexes, request.method ?? 'GET', url, text);
  } catch (error) {
    const { status = 500, type = 'exception', message: reason } = error as Partial<Refusal>;
    return { status, body: { error: { root_cause: [{ type, reason }], type, reason }, status } };
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  if (bytes > MAX_BODY_BYTES)
    throw refusal(
      413,
      'content_too_long',
      `the body has more than ${MAX_BODY_BYTES} bytes; send a smaller one`,
    );
  return Buffer.concat(chunks).toString();
}
