import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openAws } from '../../orchestrator/aws/clients.ts';
import { GroupReads } from '../../orchestrator/fleet/auto-scaling/group-reads.ts';
import { GroupFleet } from '../../orchestrator/fleet/auto-scaling/group-fleet.ts';
import { openS3Store } from '../../orchestrator/journal/s3-store.ts';

/** A gateway that answers in AWS's place: a page, an empty answer, or a list that is not the one asked for. */
const PAGE = '<html><head><title>Sign in to the network</title></head><body></body></html>';
const CALLER =
  '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>';

describe('an answer that does not come from AWS', () => {
  let server: Server;
  let answer: { status: number; type: string; body: string; id?: string };
  let asked: number;

  beforeEach(async () => {
    asked = 0;
    server = createServer((request, response) => {
      let sent = '';
      request.on('data', (chunk: Buffer) => (sent += chunk.toString()));
      request.on('end', () => {
        if (sent.includes('GetCallerIdentity'))
          return response.writeHead(200, { 'content-type': 'text/xml', 'x-amzn-requestid': 'r' }).end(CALLER);
        asked += 1;
        const id = answer.id === undefined ? {} : { 'x-amzn-requestid': answer.id };
        return response.writeHead(answer.status, { 'content-type': answer.type, ...id }).end(answer.body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'key');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  /** Makes a call to it. Gives the failure's words. */
  async function ask(call: (aws: ReturnType<typeof openAws>) => Promise<unknown>): Promise<string> {
    const aws = openAws('eu-central-1');
    try {
      return await call(aws).then((found) => `taken: ${JSON.stringify(found)}`, String);
    } finally {
      aws.close();
    }
  }
  const journal = (aws: ReturnType<typeof openAws>) =>
    openS3Store(aws, { bucket: 'books', prefix: 'journal' });
  const fleet = (aws: ReturnType<typeof openAws>) =>
    new GroupFleet({ aws, group: 'g', workerPort: 1, run: null, clock: { monotonicMs: () => 0 } });
  const CALLS: [string, (aws: ReturnType<typeof openAws>) => Promise<unknown>][] = [
    ['a list of the journal', (aws) => journal(aws).list('claims')],
    ['a conditional write of the journal', (aws) => journal(aws).create('lock/1', '{}')],
    ['a write of the journal', (aws) => journal(aws).replace('lock/1', '{}')],
    ['a reading of the journal', (aws) => journal(aws).read('lock/1')],
    ['a deletion in the journal', (aws) => journal(aws).remove('lock/1')],
    ['a look at the group', (aws) => new GroupReads(aws, 'g').group()],
    ['a look at its instances', (aws) => new GroupReads(aws, 'g').instances()],
    ['a look at its activities', (aws) => new GroupReads(aws, 'g').activities(() => true)],
    [
      'a look at a launch template',
      (aws) => new GroupReads(aws, 'g').templateVersion({ id: 'l', version: '1' }),
    ],
    ['a look at an image', (aws) => new GroupReads(aws, 'g').image('ami-1')],
    ['a look at a parameter', (aws) => new GroupReads(aws, 'g').parameter('/p')],
    ['a change of the capacity', (aws) => fleet(aws).setDesired(0)],
    ['the end of an instance', (aws) => fleet(aws).terminate('i-1', { decrement: true })],
  ];

  it.each(CALLS)('is a failure that names the endpoint and the page’s title: %s', async (_name, call) => {
    answer = { status: 200, type: 'text/html', body: PAGE };
    const said = await ask(call);
    expect(said).toContain(process.env['AWS_ENDPOINT_URL']);
    expect(said).toContain('Sign in to the network');
    expect(said).toContain('AWS did not answer');
  });

  it.each(CALLS.filter(([name]) => !/deletion|capacity/.test(name)))(
    'is a failure although it has a request id, when what every answer has is missing: %s',
    async (_name, call) => {
      const isJson = String(call).includes('parameter(');
      answer = isJson
        ? { status: 200, type: 'application/x-amz-json-1.1', body: '{}', id: 'r' }
        : { status: 200, type: 'text/xml', body: '<Nothing/>', id: 'r' };
      expect(await ask(call)).toMatch(/did not answer .* as AWS does.*AWS did not answer/);
    },
  );

  it('does not make an object of the journal missing when a gateway says 404', async () => {
    answer = { status: 404, type: 'text/html', body: PAGE };
    expect(await ask((aws) => journal(aws).read('lock/1'))).toMatch(
      /Sign in to the network.*AWS did not answer/,
    );
  });

  it('is asked for again when the call only looks, and never when it changes the fleet', async () => {
    answer = { status: 200, type: 'text/html', body: PAGE };
    await ask((aws) => new GroupReads(aws, 'g').group());
    expect(asked).toBe(3);
    await ask((aws) => fleet(aws).terminate('i-1', { decrement: true }));
    expect(asked).toBe(4);
  });
});
