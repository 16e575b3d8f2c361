import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { MAX_BODY_BYTES } from '../../worker/contract.ts';
import {
  call,
  HOLDER,
  post,
  taskRequest,
  testServices,
  type TestService,
} from '../support/worker-service.ts';

const serve = testServices();

/** The task as JSON text with one field's value replaced by this text. */
function withRaw(field: string, raw: string): string {
  return JSON.stringify({ ...taskRequest(), [field]: '@' }).replace('"@"', raw);
}

/** The task with these targets, each with names of its own but for the changes. */
function targets(...changes: object[]): object {
  const [target] = taskRequest().targets;
  const all = changes.map((change, i) => ({
    ...target,
    index: `cities-${i}`,
    write_alias: `w-${i}`,
    dead_letter_alias: `d-${i}`,
    ...change,
  }));
  return { ...taskRequest(), targets: all };
}

/** Sends bytes unchanged and gives everything that comes back until the server closes the connection. */
function exchange(s: TestService, ...parts: string[]): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(Number(new URL(s.url).port), '127.0.0.1', () => {
      for (const part of parts) socket.write(part);
    });
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('error', () => undefined).on('close', () => resolve(answer));
  });
}

describe('a posted body that is not a valid task', () => {
  it.each<[string, string, string | undefined]>([
    ['an empty body', '', undefined],
    ['no JSON', '{', undefined],
    ['the JSON null', 'null', undefined],
    ['a list', '[]', undefined],
    ['a number as key', withRaw('start_index', '5'), 'start_index'],
    ['a key beyond bigint', withRaw('end_index', '"9223372036854775808"'), 'end_index'],
    ['a key of 10,000 digits', withRaw('end_index', `"${'9'.repeat(10_000)}"`), 'end_index'],
    ['a key that is no number', withRaw('start_index', '"1; DROP TABLE x"'), 'start_index'],
    ['a key that is not canonical', withRaw('start_index', '"007"'), 'start_index'],
    ['an inverted range', JSON.stringify(taskRequest({ start_index: '9', end_index: '3' })), 'end_index'],
    ['an empty range', JSON.stringify(taskRequest({ start_index: '9', end_index: '9' })), 'end_index'],
    ['the attempt 1e400', withRaw('attempt', '1e400'), 'attempt'],
    ['an attempt beyond what is exact', withRaw('attempt', '9007199254740993'), 'attempt'],
    ['a fraction as attempt', withRaw('attempt', '1.5'), 'attempt'],
    ['no attempt', withRaw('attempt', 'null'), 'attempt'],
    ['an unknown field', JSON.stringify({ ...taskRequest(), colour: 'red' }), 'colour'],
    [
      'an unknown field of a target',
      JSON.stringify({ ...taskRequest(), targets: [{ ...taskRequest().targets[0], x: 1 }] }),
      'targets.0.x',
    ],
    [
      'a field __proto__',
      JSON.stringify(taskRequest()).replace('{', '{"__proto__":{"attempt":1},'),
      '__proto__',
    ],
    ['a field twice', JSON.stringify(taskRequest()).replace('{', '{"attempt":7,'), 'attempt'],
    ['an escaped field twice', JSON.stringify(taskRequest()).replace('{', '{"\\u0061ttempt":7,'), 'attempt'],
    ['deep nesting', `${'['.repeat(30_000)}${']'.repeat(30_000)}`, undefined],
    ['a task id with a path', withRaw('task_id', '"../x"'), 'task_id'],
    ['no target', withRaw('targets', '[]'), 'targets'],
    ['targets that are no list', withRaw('targets', '{"0":{}}'), 'targets'],
    [
      'more targets than may be',
      JSON.stringify(targets(...Array.from({ length: 17 }, () => ({})))),
      'targets',
    ],
    ['a target of no kind', JSON.stringify(targets({ kind: undefined })), 'targets.0.kind'],
    ['a target of an unknown kind', JSON.stringify(targets({ kind: 'dump' })), 'targets.0.kind'],
    [
      'a target without a definition',
      JSON.stringify(targets({ definition: undefined })),
      'targets.0.definition',
    ],
    [
      'an invalid digest',
      JSON.stringify(targets({}, { definition_digest: 'x' })),
      'targets.1.definition_digest',
    ],
    ['one index twice', JSON.stringify(targets({}, { index: 'cities-0' })), 'targets.1.index'],
    ['one write alias twice', JSON.stringify(targets({}, { write_alias: 'w-0' })), 'targets.1.write_alias'],
    [
      'one alias for the dead letters of two',
      JSON.stringify(targets({}, { dead_letter_alias: 'd-0' })),
      'targets.1.dead_letter_alias',
    ],
    [
      'dead letters among documents',
      JSON.stringify(targets({}, { dead_letter_alias: 'w-0' })),
      'targets.1.dead_letter_alias',
    ],
    ['a where condition in the task', JSON.stringify(targets({ where: 'true' })), 'targets.0.where'],
  ])('is refused with 400: %s', async (_name, body, field) => {
    const s = await serve();
    const answer = await post(s, body);
    expect(answer).toMatchObject({ status: 400, body: { error: expect.any(String) } });
    expect(answer.body.field).toBe(field);
    expect([s.runs.length, s.errors.length]).toEqual([0, 0]);
  });

  it.each([
    ['no target', [], 'targets: write at least one target, where the documents go'],
    [
      'one index twice',
      [{ index: 'books' }, { index: 'books' }],
      'targets.1.index: books is also targets.0.index; write other names for each target',
    ],
  ])('is refused with words that say what to write instead of %s', async (_name, changes, words) => {
    const s = await serve();
    const { body } = await post(s, targets(...changes));
    expect(body.error).toBe(words);
  });

  it('is refused with every fault at once', async () => {
    const s = await serve();
    const { body } = await post(s, { ...taskRequest({ attempt: 0, start_index: 'x' }), colour: 'red' });
    expect(body.error).toMatch(/attempt: .*start_index: .*colour/s);
  });

  it('is refused with 400 when it is not UTF-8', async () => {
    const s = await serve();
    const body = Buffer.from(withRaw('run', '"\xff"'), 'latin1');
    const response = await fetch(`${s.url}/reindexing_task`, {
      method: 'POST',
      body,
      headers: { ...HOLDER, 'content-type': 'application/json' },
    });
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: expect.stringContaining('UTF-8') },
    ]);
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/json; charset=latin1',
    'application/jsonx',
    '',
  ])('is refused with 415 when its content type is %j', async (type) => {
    const s = await serve();
    expect((await post(s, taskRequest(), { ...HOLDER, 'content-type': type })).status).toBe(415);
  });

  it('is accepted as JSON in UTF-8 in any spelling of the content type', async () => {
    const s = await serve();
    expect(
      (await post(s, taskRequest(), { ...HOLDER, 'content-type': 'application/json; charset=UTF-8' })).status,
    ).toBe(202);
  });
});

describe('a posted body that is too large', () => {
  it('is refused with 413 by its announced length, before it is read', async () => {
    const s = await serve();
    const head =
      'POST /reindexing_task HTTP/1.1\r\nHost: x\r\nReindex-Run: r\r\nReindex-Epoch: 1\r\nContent-Type: application/json\r\nConnection: close\r\n';
    expect(await exchange(s, `${head}Content-Length: ${MAX_BODY_BYTES + 1}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 413 /,
    );
  });

  it('is refused with 413 when it arrives in chunks without an announced length', async () => {
    const s = await serve();
    const chunk = new Uint8Array(16 * 1024).fill(0x20);
    let sent = 0;
    const body = new ReadableStream({ pull: (c) => (sent++ < 640 ? c.enqueue(chunk) : c.close()) });
    const options = {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { ...HOLDER, 'content-type': 'application/json' },
    };
    const response = await fetch(`${s.url}/reindexing_task`, options as RequestInit);
    expect(response.status).toBe(413);
  });

  it('does the worker no harm when 10 MB are sent twenty times', async () => {
    const s = await serve();
    const body = `"${'x'.repeat(10_000_000)}"`;
    for (let i = 0; i < 20; i++) expect((await post(s, body)).status).toBe(413);
    expect((await post(s, taskRequest())).status).toBe(202);
  });
});

/** What keeps connections of a worker that wants a token without showing one, a text for each of them. */
const STRANGERS: readonly (readonly [string, string])[] = [
  ['send nothing', ''],
  ['send half of their headers', 'GET /task HTTP/1.1\r\nHost: x\r\nX-Slow: '],
  ['are refused and stay', 'GET /task HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['show a wrong token', `GET /task HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${'y'.repeat(20)}\r\n\r\n`],
  ['ask for health and stay', 'GET /healthcheck HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['send half of a body', 'POST /reindexing_task HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{'],
];
const TOKEN = 'x'.repeat(20);
const AUTHORIZED = { ...HOLDER, authorization: `Bearer ${TOKEN}` };

describe('callers without the token', () => {
  it.each(STRANGERS)('never keep an authorised caller out, when 300 of them %s', async (_name, text) => {
    const s = await serve({ token: TOKEN });
    const port = Number(new URL(s.url).port);
    const sockets = await Promise.all(
      Array.from({ length: 300 }, () => {
        const socket = connect(port, '127.0.0.1').on('error', () => undefined);
        socket.resume();
        return new Promise<typeof socket>((resolve) =>
          socket.once('connect', () => socket.write(text, () => resolve(socket))),
        );
      }),
    );
    expect((await call(s, 'GET', '/task', AUTHORIZED)).status).toBe(200);
    const open = (): number => sockets.filter(({ destroyed }) => !destroyed).length;
    await expect.poll(open, { timeout: 10_000 }).toBeLessThanOrEqual(32);
    expect((await call(s, 'GET', '/task', AUTHORIZED)).status).toBe(200);
    for (const socket of sockets) socket.destroy();
  });

  it('never keep an authorised caller out when they connect anew as soon as they are cut off', async () => {
    const s = await serve({ token: TOKEN });
    const port = Number(new URL(s.url).port);
    let storming = true;
    const storm = (): void => {
      if (!storming) return;
      connect(port, '127.0.0.1')
        .on('error', () => undefined)
        .once('close', storm)
        .resume()
        .write('GET /task HTTP/1.1\r\nHost: x\r\n\r\n');
    };
    for (let i = 0; i < 300; i++) storm();
    for (let i = 0; i < 20; i++) expect((await call(s, 'GET', '/task', AUTHORIZED)).status).toBe(200);
    storming = false;
  });

  it('get an answer, and their connection is closed with it', async () => {
    const s = await serve({ token: TOKEN });
    const asked = await exchange(s, 'GET /healthcheck HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(asked).toMatch(/^HTTP\/1.1 200 .*connection: close/is);
    const refused = await exchange(s, 'GET /task HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(refused).toMatch(/^HTTP\/1.1 401 .*connection: close/is);
  });

  it('do not end the connection that the orchestrator keeps', async () => {
    const s = await serve({ token: TOKEN });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    const ask = (): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const sent = request(`${s.url}/task`, { agent, headers: AUTHORIZED }, (response) => {
          ports.add(response.socket.localPort);
          response.resume().on('end', () => resolve(response.statusCode));
        });
        sent.on('error', reject).end();
      });
    expect(await ask()).toBe(200);
    await Promise.all(
      Array.from({ length: 1_200 }, () => exchange(s, 'GET /alive HTTP/1.1\r\nHost: x\r\n\r\n')),
    );
    expect(await ask()).toBe(200);
    expect(ports.size).toBe(1);
    agent.destroy();
  });
});

describe('a worker’s HTTP server', () => {
  it('cuts off a caller whose headers arrive too slowly', async () => {
    const s = await serve({ limits: { headersTimeoutMs: 300, requestTimeoutMs: 300 } });
    expect(await exchange(s, 'GET /task HTTP/1.1\r\nHost: x\r\n', 'X-Slow: ')).toMatch(
      /^HTTP\/1.1 408 .*"error"/s,
    );
  });

  it('cuts off a caller whose body arrives too slowly', async () => {
    const s = await serve({ limits: { headersTimeoutMs: 300, requestTimeoutMs: 300 } });
    const head =
      'POST /reindexing_task HTTP/1.1\r\nHost: x\r\nReindex-Run: r\r\nReindex-Epoch: 1\r\nContent-Type: application/json\r\n';
    await exchange(s, `${head}Content-Length: 100\r\n\r\n`, '{"task_id":');
    expect((await call(s, 'GET', '/task')).status).toBe(200);
    expect(s.runs).toHaveLength(0);
  });

  it('answers in JSON to what is not HTTP, and with 431 to headers that are too large', async () => {
    const s = await serve();
    expect(await exchange(s, 'HELO\r\n\r\n')).toMatch(/^HTTP\/1.1 400 .*"error"/s);
    expect(await exchange(s, `GET /task/${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 431 .*"error"/s,
    );
    expect(await exchange(s, 'GET /task HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1.1 400 .*"error"/s,
    );
  });

  it('ends the connection of a caller that has been idle for longest when there are too many', async () => {
    const s = await serve({ limits: { maxConnections: 10 } });
    const port = Number(new URL(s.url).port);
    const idle: Socket[] = [];
    for (let i = 0; i < 11; i++) {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      idle.push(socket);
      socket.write('GET /task HTTP/1.1\r\nHost: x\r\n\r\n');
      await once(socket, 'data');
    }
    await expect
      .poll(() => idle.map(({ destroyed }) => destroyed))
      .toEqual([true, ...Array.from({ length: 10 }, () => false)]);
    for (const socket of idle) socket.destroy();
  });

  it('answers 2,000 health checks over kept connections', async () => {
    const s = await serve();
    const agent = new Agent({ keepAlive: true, maxSockets: 50 });
    const check = (): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const sent = request(`${s.url}/healthcheck`, { agent }, (response) => {
          response.resume().on('end', () => resolve(response.statusCode));
        });
        sent.on('error', reject).end();
      });
    const answers = await Promise.all(Array.from({ length: 2_000 }, check));
    agent.destroy();
    expect(answers.filter((status) => status !== 200)).toEqual([]);
  });

  it('bears callers that disconnect in the middle of a request', async () => {
    const s = await serve();
    for (const text of [
      'POST /reindexing_task HT',
      'POST /reindexing_task HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{',
    ]) {
      const socket = connect(Number(new URL(s.url).port), '127.0.0.1');
      await new Promise<void>((resolve) => socket.write(text, () => resolve()));
      socket.resetAndDestroy();
    }
    expect((await call(s, 'GET', '/task')).status).toBe(200);
    expect(s.errors).toEqual([]);
  });
});
