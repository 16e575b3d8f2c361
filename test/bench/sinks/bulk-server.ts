import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type BulkItem, bulkItems } from './bulk-lines.ts';
import { INDEX } from './sink.ts';

/** Elastic's client refuses to work with a server that does not say this of itself. */
const HEADERS = { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' };

export interface BulkServer {
  readonly url: string;
  readonly server: Server;
}

/**
 * Listens on a free port, hands each document to `take` and answers each `_bulk` as a cluster does: one item per action
 * with its `_id` and `_index`. Every other call is answered with `state()`.
 */
export async function startBulkServer(
  take: (item: BulkItem, body: Buffer) => void,
  state: () => object,
): Promise<BulkServer> {
  const server = createServer((request, response) => {
    handle(request, response, { take, state }).catch((error: unknown) => {
      console.error((error as Error).message);
      response.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

interface Answers {
  readonly take: (item: BulkItem, body: Buffer) => void;
  readonly state: () => object;
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  { take, state }: Answers,
): Promise<void> {
  const body = await bodyOf(request);
  const isBulk = request.url?.includes('/_bulk') === true;
  const answer = isBulk ? answerBulk(body, take) : JSON.stringify(state());
  response.writeHead(200, { ...HEADERS, 'content-length': Buffer.byteLength(answer) }).end(answer);
}

function answerBulk(body: Buffer, take: Answers['take']): string {
  const items: string[] = [];
  for (const item of bulkItems(body)) {
    take(item, body);
    items.push(`{"index":{"_index":"${INDEX}","_id":"${item.id}","status":201,"result":"created"}}`);
  }
  return `{"took":0,"errors":false,"items":[${items.join(',')}]}`;
}

/** Reads a body of known length into one buffer, another in pieces. */
async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const expected = request.headers['content-length'];
  if (expected === undefined) {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    return Buffer.concat(pieces);
  }
  const body = Buffer.allocUnsafeSlow(Number(expected));
  let length = 0;
  for await (const piece of request) length += (piece as Buffer).copy(body, length);
  return body;
}
