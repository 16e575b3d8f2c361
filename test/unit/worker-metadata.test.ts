import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { InstanceMetadata } from '../../worker/instance/metadata.ts';

const HOUR_MS = 3_600_000;

/** A service that answers each path with a status, and notes each call with its token. */
async function startService(statuses: Readonly<Record<string, number>> = {}) {
  const calls: string[] = [];
  let tokens = 0;
  const server = createServer((request, answer) => {
    const { method = '', url = '', headers } = request;
    const token = String(headers['x-aws-ec2-metadata-token'] ?? '');
    calls.push(`${method} ${url} ${token}`.trim());
    answer.writeHead(statuses[url] ?? 200).end(method === 'PUT' ? `token-${++tokens}` : 'a value');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const clock = { nowMs: 0 };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { metadata: new InstanceMetadata(url, () => clock.nowMs), calls, clock, url };
}

describe('the metadata of an instance', () => {
  it('is read with one token for all calls, which is renewed before it expires', async () => {
    const { metadata, calls, clock } = await startService();
    expect(await metadata.read('instance-id')).toBe('a value');
    await metadata.read('local-ipv4');
    clock.nowMs = 5.95 * HOUR_MS;
    await metadata.read('instance-id');
    expect(calls).toEqual([
      'PUT /latest/api/token',
      'GET /latest/meta-data/instance-id token-1',
      'GET /latest/meta-data/local-ipv4 token-1',
      'PUT /latest/api/token',
      'GET /latest/meta-data/instance-id token-2',
    ]);
  });

  it('is null for a path that does not exist', async () => {
    const { metadata } = await startService({ '/latest/meta-data/spot/instance-action': 404 });
    expect(await metadata.read('spot/instance-action')).toBeNull();
  });

  it('is read with a new token once when the token is refused, then the refusal is reported', async () => {
    const { metadata, calls } = await startService({ '/latest/meta-data/instance-id': 401 });
    await expect(metadata.read('instance-id')).rejects.toThrow(/answers 401 for instance-id/);
    expect(calls).toHaveLength(4);
  });

  it('is refused with the failing call when the service fails', async () => {
    const path = '/latest/meta-data/instance-id';
    const failing = await startService({ [path]: 500 });
    await expect(failing.metadata.read('instance-id')).rejects.toThrow(/answers 500 for instance-id/);
    const closed = await startService({ '/latest/api/token': 403 });
    await expect(closed.metadata.read('instance-id')).rejects.toThrow(/no token\. It answers 403/);
    expect(closed.calls).toEqual(['PUT /latest/api/token']);
    const gone = new InstanceMetadata('http://127.0.0.1:1/', () => 0);
    await expect(gone.read('instance-id')).rejects.toThrow(
      /at http:\/\/127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED/,
    );
  });
});
