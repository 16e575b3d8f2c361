import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { listenForTest } from '../support/listen.ts';
import type { TestScope } from '../support/run-setup.ts';
import { accessKeyIdOf, type AwsCall, parseCall, type RawCall } from './aws-call.ts';
import { answerOf, type AwsError, errorOf, type FaultAnswer } from './aws-fault-answer.ts';

/**
 * What happens to a call:
 * - `throttled`, `unavailable`, `internal error`, `conflict` (S3's 409), or an error of AWS: answered without effect
 * - `lost call`: the connection is cut, and nothing has happened
 * - `lost answer`: it takes effect, then the connection is cut
 * - `without condition`: S3 does not look at `If-Match` and `If-None-Match`, as some other servers do
 * - a delay: it takes effect, and the answer is late
 */
export type Fault =
  | 'throttled'
  | 'unavailable'
  | 'internal error'
  | 'conflict'
  | 'lost call'
  | 'lost answer'
  | 'without condition'
  | AwsError
  | { readonly delayMs: number };

export interface FaultRule {
  /** See `AwsCall`. */
  readonly action: string;
  /** Which of these calls; by default each. */
  readonly matching?: (call: AwsCall) => boolean;
  /** How many calls pass before the first that is struck; 0 by default. */
  readonly after?: number;
  /** How many are struck; by default all from then on. */
  readonly times?: number;
  readonly with: Fault;
}

export interface LoggedCall extends AwsCall {
  readonly fault: Fault | null;
  /** What AWS answered; null: it has not come there, or not yet answered. */
  cloudStatus: number | null;
  /** What the caller heard; null: nothing, or not yet. */
  status: number | null;
  /** The error's code that it heard, e.g. `ValidationError`. */
  errorCode: string | null;
}

/** What AWS answers to a call in place of doing it; null: it is allowed. */
export type Guard = (call: AwsCall, accessKeyId: string) => Promise<AwsError | null>;

/** A proxy between one test's processes and AWS's API. It logs each call, and breaks calls as the test says. */
export interface ApiProxy {
  /** For `AWS_ENDPOINT_URL`. */
  readonly url: string;
  /** In the order in which they came. */
  readonly calls: readonly LoggedCall[];
  callsOf(action: string): LoggedCall[];
  /** Rules apply in the order in which they were made. Each call meets at most one rule. */
  fail(rule: FaultRule): void;
  /** Takes all rules away. */
  mend(): void;
  /** From now on each call that no rule strikes must pass it; null: none need. */
  guard(guard: Guard | null): void;
}

export async function startApiProxy(scope: TestScope, targetUrl: string): Promise<ApiProxy> {
  const calls: LoggedCall[] = [];
  let rules: ActiveRule[] = [];
  let guard: Guard | null = null;
  const server = createServer((incoming, answer) => {
    handle(incoming, answer).catch(() => answer.destroy()); // the caller sees a cut connection, as it would in life
  });
  const handle = async (incoming: IncomingMessage, answer: ServerResponse): Promise<void> => {
    const { method = '', url = '', headers } = incoming;
    const raw: RawCall = { method, path: url, headers, body: await buffer(incoming) };
    const parsed = parseCall(raw);
    const struck = rules.find((rule) => rule.strikes(parsed))?.fault ?? null;
    const fault = struck ?? (await guard?.(parsed, accessKeyIdOf(raw))) ?? null;
    const call: LoggedCall = { ...parsed, fault, cloudStatus: null, status: null, errorCode: null };
    calls.push(call);
    await carryOut({ targetUrl, raw, call, answer });
  };
  const address = await listenForTest(scope, server, '127.0.0.4');
  return {
    url: address,
    calls,
    callsOf: (action) => calls.filter((call) => call.action === action),
    fail: (rule) => void rules.push(new ActiveRule(rule)),
    mend: () => {
      rules = [];
    },
    guard: (given) => {
      guard = given;
    },
  };
}

class ActiveRule {
  readonly #rule: FaultRule;
  #seen = 0;

  constructor(rule: FaultRule) {
    this.#rule = rule;
  }

  get fault(): Fault {
    return this.#rule.with;
  }

  /** Counts the call if it is one of the rule's. */
  strikes(call: AwsCall): boolean {
    const { action, matching = () => true, after = 0, times = Number.POSITIVE_INFINITY } = this.#rule;
    if (call.action !== action || !matching(call)) return false;
    this.#seen += 1;
    return this.#seen > after && this.#seen <= after + times;
  }
}

interface Exchange {
  readonly targetUrl: string;
  readonly raw: RawCall;
  readonly call: LoggedCall;
  readonly answer: ServerResponse;
}

async function carryOut(exchange: Exchange): Promise<void> {
  const { call, answer } = exchange;
  const { fault, service } = call;
  switch (fault) {
    case 'lost call':
      answer.destroy();
      return;
    case 'lost answer':
      await forward(exchange);
      answer.destroy();
      return;
    case null:
    case 'without condition':
      reply(exchange, await forward(exchange));
      return;
    case 'throttled':
    case 'unavailable':
    case 'internal error':
    case 'conflict':
      refuse(exchange, answerOf(service, errorOf(service, fault)));
      return;
    default:
      if ('code' in fault) return refuse(exchange, answerOf(service, fault));
      const answered = await forward(exchange);
      await sleep(fault.delayMs);
      reply(exchange, answered);
  }
}

interface Answered {
  readonly response: IncomingMessage;
  readonly body: Buffer;
}

async function forward({ targetUrl, raw, call }: Exchange): Promise<Answered> {
  const { expect: _, ...headers } = raw.headers; // answered here already, by node
  if (call.fault === 'without condition') {
    delete headers['if-match'];
    delete headers['if-none-match'];
  }
  const outgoing = request(new URL(raw.path, targetUrl), { method: raw.method, headers, agent: false });
  outgoing.end(raw.body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  const body = await buffer(response);
  call.cloudStatus = response.statusCode ?? null;
  return { response, body };
}

function reply({ call, answer }: Exchange, { response, body }: Answered): void {
  const { connection: _, 'transfer-encoding': __, ...headers } = response.headers;
  hear(call, response.statusCode ?? 0, body.toString());
  // The length of what a HEAD does not send stands in the headers of the answer itself.
  answer.writeHead(response.statusCode ?? 502, { 'content-length': body.length, ...headers });
  answer.end(body);
}

function refuse({ call, answer }: Exchange, { status, contentType, body }: FaultAnswer): void {
  hear(call, status, body);
  answer.writeHead(status, { 'content-type': contentType, 'x-amzn-requestid': 'of-a-test' });
  answer.end(body);
}

function hear(call: LoggedCall, status: number, body: string): void {
  call.status = status;
  if (status >= 400)
    call.errorCode =
      /<Code>([^<]+)<|"__type": ?"(?:[^"#]*#)?([^"]+)"/.exec(body)?.slice(1).find(Boolean) ?? null;
}
