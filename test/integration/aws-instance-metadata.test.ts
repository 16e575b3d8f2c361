import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { type InstanceMetadata, startInstanceMetadata } from '../aws/instance-metadata.ts';

let metadata: InstanceMetadata;
beforeEach(async () => {
  metadata = await startInstanceMetadata({
    instanceId: 'i-0123456789abcdef0',
    privateIp: '127.77.1.5',
    availabilityZone: 'eu-central-1a',
    imageId: 'ami-0123456789abcdef0',
    instanceType: 'c7g.large',
    accountId: '123456789012',
    launchTime: new Date('2026-11-26T10:00:00.500Z'),
    tags: { 'aws:autoscaling:groupName': 'books' },
  });
  onTestFinished(() => metadata.stop());
});

async function ask(path: string, headers: Record<string, string>, method = 'GET') {
  const answer = await fetch(`${metadata.url}/latest/${path}`, { method, headers });
  return { status: answer.status, text: await answer.text() };
}

async function token(ttlSeconds = '60'): Promise<string> {
  const { text } = await ask('api/token', { 'X-aws-ec2-metadata-token-ttl-seconds': ttlSeconds }, 'PUT');
  return text;
}

const read = async (path: string): Promise<string> =>
  (await ask(path, { 'X-aws-ec2-metadata-token': await token() })).text;

test('the tests’ metadata service tells an instance its id, address, region and group', async () => {
  expect(await read('meta-data/instance-id')).toBe('i-0123456789abcdef0');
  expect(await read('meta-data/local-ipv4')).toBe('127.77.1.5');
  expect(await read('meta-data/placement/region')).toBe('eu-central-1');
  expect(await read('meta-data/tags/instance/aws:autoscaling:groupName')).toBe('books');
  expect(JSON.parse(await read('dynamic/instance-identity/document'))).toMatchObject({
    region: 'eu-central-1',
    pendingTime: '2026-11-26T10:00:00Z',
  });
});

test('the tests’ metadata service tells nothing without a valid token', async () => {
  expect((await ask('meta-data/instance-id', {})).status).toBe(401);
  expect((await ask('meta-data/instance-id', { 'X-aws-ec2-metadata-token': 'mine' })).status).toBe(401);
  const ended = await token();
  metadata.expireTokens();
  expect((await ask('meta-data/instance-id', { 'X-aws-ec2-metadata-token': ended })).status).toBe(401);
});

test.each(['0', '21601', 'soon'])(
  'the metadata service of the tests gives no token for %s s',
  async (ttl) => {
    const answer = await ask('api/token', { 'X-aws-ec2-metadata-token-ttl-seconds': ttl }, 'PUT');
    expect(answer.status).toBe(400);
  },
);

test('the tests’ metadata service shows no notice before one is given', async () => {
  expect(await read('meta-data/spot/instance-action')).toBe('Not Found');
  expect(await read('meta-data/events/recommendations/rebalance')).toBe('Not Found');
  metadata.interrupt({ action: 'terminate', time: new Date('2026-11-26T10:02:00Z') });
  metadata.recommendRebalance(new Date('2026-11-26T10:00:00Z'));
  expect(JSON.parse(await read('meta-data/spot/instance-action'))).toEqual({
    action: 'terminate',
    time: '2026-11-26T10:02:00Z',
  });
  expect(JSON.parse(await read('meta-data/events/recommendations/rebalance'))).toEqual({
    noticeTime: '2026-11-26T10:00:00Z',
  });
});
