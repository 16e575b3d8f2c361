import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One `_bulk` request as the cluster saw it. */
export interface BulkRequest {
  readonly alias: string;
  readonly query: URLSearchParams;
  readonly ids: string[];
  readonly documents: string[];
  readonly headers: IncomingMessage['headers'];
}

/** The script's answer to one item: it is stored, or this item of a response. */
export type ItemAnswer = object | null;

export interface ScriptedCluster {
  readonly url: string;
  readonly requests: BulkRequest[];
  /** Documents that were stored, by alias and id, with how often. */
  readonly stored: Map<string, number>;
  close(): Promise<void>;
}

/**
 * A server that answers `_bulk` by a test's script. The script answers itself and returns null, or it returns the outcome of
 * each item (null: stored). `index` is the index of the items, one for all aliases or one for each.
 */
export async function startScriptedCluster(
  index: string | ((alias: string) => string),
  script: (
    request: BulkRequest,
    response: ServerResponse,
    number: number,
  ) => Promise<ItemAnswer[] | null> | ItemAnswer[] | null,
  port = 0,
): Promise<ScriptedCluster> {
  const requests: BulkRequest[] = [];
  const stored = new Map<string, number>();
  const indexOf = typeof index === 'string' ? () => index : index;
  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request = await readBulk(incoming);
    requests.push(request);
    const answers = await script(request, response, requests.length);
    if (answers === null) return;
    const items = request.ids.map(
      (id, i) => answers[i] ?? store(stored, request.alias, indexOf(request.alias), id),
    );
    response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify({ took: 1, errors: false, items }));
  };
  const server = createServer((incoming, response) => {
    answer(incoming, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    return closed;
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, stored, close };
}

/** Every item is stored. */
export function storeAll(): ItemAnswer[] {
  return [];
}

export function failedItem(id: string, status: number, type: string, reason = 'because'): ItemAnswer {
  return { index: { _index: 'alias', _id: id, status, error: { type, reason } } };
}

export function answerWith(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): null {
  response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
  return null;
}

function store(stored: Map<string, number>, alias: string, index: string, id: string): ItemAnswer {
  const times = (stored.get(`${alias}/${id}`) ?? 0) + 1;
  stored.set(`${alias}/${id}`, times);
  const landed = alias.includes('dead') ? `${index}-dead-letters` : index;
  return {
    index: {
      _index: landed,
      _id: id,
      ...(times === 1 ? { status: 201, result: 'created' } : { status: 200, result: 'updated' }),
    },
  };
}

async function readBulk(incoming: IncomingMessage): Promise<BulkRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const lines = Buffer.concat(chunks).toString().split('\n').slice(0, -1);
  const url = new URL(incoming.url ?? '', 'http://cluster');
  const ids = lines
    .filter((_, i) => i % 2 === 0)
    .map((line) => (JSON.parse(line) as { index: { _id: string } }).index._id);
  return {
    alias: url.pathname.split('/').at(-2) ?? '',
    query: url.searchParams,
    ids,
    documents: lines.filter((_, i) => i % 2 === 1),
    headers: incoming.headers,
  };
}
