import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Superseded } from '../../orchestrator/errors.ts';
import { SearchCluster } from '../../orchestrator/index/cluster.ts';

const ABOUT = { version: { number: '3.6.0', distribution: 'opensearch' } };
type Answer = [status: number, body: unknown] | 'hang' | 'cut' | 'cut in its middle' | 'cut in a chunk';

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
  ): Promise<{ url: string; seen: string[]; authorization: string[] }> {
    const seen: string[] = [];
    const authorization: string[] = [];
    const server = createServer((request, response) => {
      authorization.push(request.headers.authorization ?? '');
      if (request.url === '/') return send(response, [200, about]);
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
    } else if (answer !== 'hang')
      response.writeHead(answer[0], { 'content-type': 'application/json' }).end(JSON.stringify(answer[1]));
  }
  const connect = (url: string, secrets: { username?: string; password?: string; apiKey?: string } = {}) =>
    SearchCluster.connect({
      url,
      username: secrets.username ?? null,
      password: secrets.password ?? null,
      apiKey: secrets.apiKey ?? null,
    });
  const ask = async (url: string, options = {}) => {
    const cluster = await connect(url);
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
    await expect(ask(url)).rejects.toMatchObject({
      name: 'ClusterError',
      status: 503,
      type: 'no_master',
      message: expect.stringContaining('nobody leads'),
    });
    expect(seen.length).toBeGreaterThan(2);
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
