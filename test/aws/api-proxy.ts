import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** One call of AWS's API, by its operation's name. */
export interface ApiCall {
  readonly operation: string;
  /** Of the query protocol (EC2, Auto Scaling); empty for others. */
  readonly parameters: URLSearchParams;
}

/** `code` and `message` as AWS says them. `lost`: the call takes effect, and the connection is cut before the answer. */
export type ApiFault = { readonly status: number; readonly code: string; readonly message: string } | 'lost';

/** Stands between a process and the AWS API, notes its calls, and does to them what a test says. */
export interface ApiProxy {
  /** For `AWS_ENDPOINT_URL`. */
  readonly url: string;
  readonly calls: ApiCall[];
  /** Null: the call goes through. Replaced at will. */
  fault: (call: ApiCall) => ApiFault | null;
  /** Takes no more connections. */
  stop(): Promise<void>;
}

export async function startApiProxy(awsUrl: string): Promise<ApiProxy> {
  const server = createServer((incoming, answer) => {
    handle(incoming, answer).catch(() => answer.destroy());
  });
  server.listen(0, '127.0.0.4');
  await once(server, 'listening');
  const proxy: ApiProxy = {
    url: `http://127.0.0.4:${(server.address() as AddressInfo).port}`,
    calls: [],
    fault: () => null,
    async stop() {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  const handle = async (incoming: IncomingMessage, answer: ServerResponse): Promise<void> => {
    const body = await text(incoming);
    const call = callOf(incoming, body);
    proxy.calls.push(call);
    const fault = proxy.fault(call);
    if (fault !== null && fault !== 'lost') return refuse(incoming, answer, fault);
    const { host: _, ...headers } = incoming.headers as Record<string, string>;
    const reply = await fetch(awsUrl + incoming.url, { method: incoming.method ?? 'POST', headers, body });
    const content = Buffer.from(await reply.arrayBuffer());
    if (fault === 'lost') return void answer.destroy();
    answer.writeHead(reply.status, { 'content-type': reply.headers.get('content-type') ?? '' }).end(content);
  };
  return proxy;
}

/** The JSON protocol (SSM) names the operation in a header, the query protocol in the body. */
function callOf({ headers }: IncomingMessage, body: string): ApiCall {
  const target = headers['x-amz-target'];
  if (typeof target === 'string')
    return { operation: target.slice(target.indexOf('.') + 1), parameters: new URLSearchParams() };
  const parameters = new URLSearchParams(body);
  return { operation: parameters.get('Action') ?? '', parameters };
}

function refuse(
  { headers }: IncomingMessage,
  answer: ServerResponse,
  { status, code, message }: Exclude<ApiFault, 'lost'>,
): void {
  const isJson = headers['x-amz-target'] !== undefined;
  const content = isJson
    ? JSON.stringify({ __type: code, message })
    : `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>1</RequestId></ErrorResponse>`;
  answer
    .writeHead(status, { 'content-type': isJson ? 'application/x-amz-json-1.1' : 'text/xml' })
    .end(content);
}
