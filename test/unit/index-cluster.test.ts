import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Superseded } from '../../orchestrator/errors.ts';
import { type ClusterOptions, SearchCluster } from '../../orchestrator/index/cluster.ts';

const ABOUT = { version: { number: '3.6.0', distribution: 'opensearch' } };
const PAGE = '<html><title>One moment</title></html>';
type Waiting = Pick<ClusterOptions, 'waitingTimeoutMs' | 'onWait'>;
type Answer =
  | [status: number, body: unknown, headers?: Record<string, string>]
  | 'hang'
  | 'cut'
  | 'cut in its middle'
  | 'cut in a chunk';

describe('a call to the search cluster', () => {
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  /** A cluster that answers `GET /` as told and then each call by the script; its last answer stays. */
  async function scripted(
    script: readonly Answer[],
    about: unknown = ABOUT,
    pagesFirst = 0,
  ): Promise<{ url: string; seen: string[]; authorization: string[] }> {
    const seen: string[] = [];
    const authorization: string[] = [];
    const server = createServer((request, response) => {
      authorization.push(request.headers.authorization ?? '');
      if (request.url === '/') return send(response, [200, authorization.length > pagesFirst ? about : PAGE]);
      seen.push(`${request.method} ${request.url}`);
      return send(response, script[Math.min(seen.length, script.length) - 1] ?? [200, {}]);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, authorization };
  }
  function send(response: ServerResponse, answer: Answer): void {
    if (answer === 'cut') response.destroy();
    else if (answer === 'cut in its middle' || answer === 'cut in a chunk') {
      if (answer === 'cut in its middle') response.setHeader('content-length', 100);
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .write('{"count"', () => response.destroy());
    } else if (answer !== 'hang') {
      const [status, body, headers] = answer;
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
    }
  }
  const connect = (
    url: string,
    {
      waiting,
      ...secrets
    }: { username?: string; password?: string; apiKey?: string; waiting?: Waiting } = {},
  ) =>
    SearchCluster.connect({
      url,
      ...waiting,
      username: secrets.username ?? null,
      password: secrets.password ?? null,
      apiKey: secrets.apiKey ?? null,
    });
  const ask = async (url: string, options = {}, waiting: Waiting = {}) => {
    const cluster = await connect(url, { waiting });
    try {
      return await cluster.call('POST', '/x/_count', { query: {} }, options);
    } finally {
      await cluster.close();
    }
  };

  it.each<[string, Answer]>([
    ['a full queue', [429, {}]],
    ['an absent node', [503, {}]],
    ['a cut connection', 'cut'],
    ['an answer of known length that was cut off', 'cut in its middle'],
    ['an answer in chunks that was cut off', 'cut in a chunk'],
  ])('is repeated after %s', async (_name, first) => {
    const { url, seen } = await scripted([first, [200, { count: 1 }]]);
    expect(await ask(url)).toEqual({ count: 1 });
    expect(seen.length).toBeGreaterThan(1);
  });

  it('fails with the words of the cluster when the cluster stays busy', async () => {
    const { url, seen } = await scripted([[503, { error: { type: 'no_master', reason: 'nobody leads' } }]]);
    await expect(ask(url, {}, { waitingTimeoutMs: 1_000 })).rejects.toMatchObject({
      name: 'ClusterError',
      status: 503,
      type: 'no_master',
      message: expect.stringMatching(/nobody leads .*tried 3 times in 1 s/),
    });
    expect(seen).toHaveLength(3);
  });

  it('waits as long as the cluster asks with Retry-After, and tells what it waits for', async () => {
    const { url, seen } = await scripted([
      [429, { error: { type: 'circuit_breaking_exception', reason: 'too much' } }, { 'retry-after': '3' }],
      [200, { count: 1 }],
    ]);
    const told: string[] = [];
    const began = performance.now();
    expect(await ask(url, {}, { onWait: (words) => void told.push(words) })).toEqual({ count: 1 });
    expect(performance.now() - began).toBeGreaterThan(2_900);
    expect(seen).toHaveLength(2);
    expect(told).toEqual([
      expect.stringMatching(/waiting for the search cluster.*circuit_breaking_exception/),
    ]);
  });

  it('is made again after 429 even if it must not be made twice, because the cluster did nothing', async () => {
    const { url, seen } = await scripted([
      [429, {}],
      [200, { count: 1 }],
    ]);
    expect(await ask(url, { repeatable: false })).toEqual({ count: 1 });
    expect(seen).toHaveLength(2);
  });

  it.each<[string, Answer]>([
    ['with status 200', [200, '<html><head><title>Sign in</title></head></html>']],
    ['with status 404', [404, '<html><head><title>Sign in</title></head></html>']],
    ['that redirects', [302, '', { location: '/login' }]],
  ])('takes a page of a gateway %s for no answer, and makes the call again', async (_name, page) => {
    const { url, seen } = await scripted([page, [200, { count: 1 }]]);
    expect(await ask(url)).toEqual({ count: 1 });
    expect(seen).toHaveLength(2);
  });

  it('names the address and the title when a gateway always answers with a page', async () => {
    const { url } = await scripted([[404, '<html><head><title>Sign in</title></head></html>']]);
    const cluster = await connect(url, { waiting: { waitingTimeoutMs: 500 } });
    const said = await cluster.callOrNull('GET', '/x').catch(String);
    await cluster.close();
    expect(said).toMatch(/GET \/x was answered with status 404.*“Sign in”/);
    expect(said).toContain(url);
  });

  it('waits for a cluster that is overloaded while the command connects', async () => {
    let asked = 0;
    const server = createServer((_request, response) => {
      asked += 1;
      send(response, asked < 3 ? [503, {}] : [200, ABOUT]);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const cluster = await connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await cluster.close();
    expect(cluster.engine.version).toBe('OpenSearch 3.6.0');
    expect(asked).toBe(3);
  });

  it('waits for a moment for a cluster in whose place a page answers while the command connects', async () => {
    const { url } = await scripted([[200, { count: 1 }]], ABOUT, 2);
    const cluster = await connect(url);
    expect(await cluster.call('GET', '/x/_count')).toEqual({ count: 1 });
  });

  it('does not speak of a missing permission when a block of the cluster refuses it', async () => {
    const block = {
      error: { type: 'cluster_block_exception', reason: 'blocked by: [FORBIDDEN/5/read-only];' },
    };
    const { url } = await scripted([[403, block]]);
    const cluster = await connect(url);
    await expect(cluster.call('DELETE', '/x')).rejects.toThrow(/read-only\];$/);
  });

  it('shows the words that a refused deletion has in its failures', async () => {
    const failures = [{ id: '7', status: 409, cause: { type: 'version_conflict', reason: 'changed' } }];
    const { url } = await scripted([[409, { failures }]]);
    await expect(ask(url)).rejects.toThrow(/409 version_conflict: changed/);
  });

  it('is sent once when it is not repeatable or when the cluster refuses it', async () => {
    const cut = await scripted(['cut']);
    await expect(ask(cut.url, { repeatable: false })).rejects.toMatchObject({
      status: 0,
      type: 'unreachable',
    });
    expect(cut.seen.length).toBe(1);
    const refused = await scripted([
      [400, { error: { type: 'parsing_exception', reason: 'unknown query' } }],
    ]);
    await expect(ask(refused.url)).rejects.toMatchObject({ status: 400, type: 'parsing_exception' });
    expect(refused.seen.length).toBe(1);
  });

  it.each<[string, Answer]>([
    ['busy', [503, {}]],
    ['cut off', 'cut'],
    ['cut off in its answer', 'cut in its middle'],
  ])('that was %s is not repeated once the lock is lost', async (_name, first) => {
    const { url, seen } = await scripted([first, [200, {}]]);
    const lost = new Superseded('taken over');
    let tries = 0;
    const beforeTry = (): void => {
      tries += 1;
      if (tries > 1) throw lost;
    };
    await expect(ask(url, { beforeTry })).rejects.toBe(lost);
    expect(seen).toHaveLength(1);
  });

  it('fails within 5 seconds when an address does not answer, and names the address and what to do but not the password', async () => {
    const began = performance.now();
    const error = await connect('http://someone:s3cret@127.0.0.1:9').catch((reason: unknown) => reason);
    expect(String(error)).toContain('http://127.0.0.1:9');
    expect(String(error)).toContain('start the cluster');
    expect(String(error)).not.toContain('s3cret');
    const silent = createServer(() => {});
    servers.push(silent);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    await expect(connect(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`)).rejects.toMatchObject(
      { status: 0 },
    );
    expect(performance.now() - began).toBeLessThan(5_500);
  });

  it('ends at once when its signal aborts', async () => {
    const { url } = await scripted(['hang']);
    const controller = new AbortController();
    const asked = ask(url, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error('ended')), 50);
    await expect(asked).rejects.toThrow('ended');
  });

  it('carries the credentials of the URL, those of the settings, or the API key', async () => {
    const { url, authorization } = await scripted([]);
    const withUser = url.replace('//', '//some%40one:p%20w@');
    for (const opened of [
      connect(withUser),
      connect(url, { username: 'u', password: 'p' }),
      connect(withUser, { apiKey: 'k' }),
    ]) {
      const cluster = await opened;
      expect(cluster.where).toBe(url);
      await cluster.close();
    }
    const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
    expect(authorization.sort()).toEqual(['ApiKey k', basic('some@one:p w'), basic('u:p')].sort());
  });

  it.each<[string, unknown, string | null]>([
    ['Elasticsearch 7.9', { version: { number: '7.9.3' }, tagline: 'You Know, for Search' }, '7.10'],
    ['Elasticsearch 7.10', { version: { number: '7.10.0' }, tagline: 'You Know, for Search' }, null],
    ['Elasticsearch 9', { version: { number: '9.1.0' }, tagline: 'You Know, for Search' }, null],
    ['another service', { hello: 'world' }, 'not as OpenSearch or Elasticsearch'],
  ])('is accepted or refused by the engine version: %s', async (_name, about, refusal) => {
    const { url } = await scripted([], about);
    const said = await ask(url).then(() => 'taken', String);
    expect(said).toContain(refusal ?? 'taken');
  });
});
