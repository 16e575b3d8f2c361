import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * Stands in for the search cluster and throws everything away. It answers each `_bulk` with one item per action that has
 * the `_id` and `_index` that the worker checks. It is a process of its own and prints its address on the first line.
 */
const NEWLINE = 0x0a;
const ID_OFFSET = Buffer.byteLength('{"index":{"_id":"');
const QUOTE = 0x22;

let documents = 0;

function answerBulk(body: Buffer): string {
  const items: string[] = [];
  for (let at = 0; at < body.length; ) {
    const idEnd = body.indexOf(QUOTE, at + ID_OFFSET);
    items.push(
      `{"index":{"_index":"bench","_id":"${body.toString('latin1', at + ID_OFFSET, idEnd)}","status":201,"result":"created"}}`,
    );
    at = body.indexOf(NEWLINE, body.indexOf(NEWLINE, idEnd) + 1) + 1;
    if (at === 0) throw new Error('a bulk body without its last newline');
  }
  documents += items.length;
  return `{"took":0,"errors":false,"items":[${items.join(',')}]}`;
}

/** Reads a body of known length into one buffer. */
async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const body = Buffer.allocUnsafeSlow(Number(request.headers['content-length'] ?? 0));
  let length = 0;
  for await (const piece of request) length += (piece as Buffer).copy(body, length);
  return body;
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const isBulk = request.url?.includes('/_bulk') === true;
  const answer = isBulk ? answerBulk(await bodyOf(request)) : JSON.stringify({ documents });
  response
    .writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) })
    .end(answer);
}

const server = createServer((request, response) => {
  handle(request, response).catch((error: unknown) => response.destroy(error as Error));
});
server.listen(0, '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
);
process.stdin.on('close', () => process.exit(0)).resume();
