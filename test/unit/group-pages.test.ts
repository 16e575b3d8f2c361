import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openAws } from '../../orchestrator/aws/clients.ts';
import { GroupFleet } from '../../orchestrator/fleet/auto-scaling/group-fleet.ts';

const COUNT = 2_300;
const PER_PAGE = 1_000;
const idOf = (n: number): string => `i-${n.toString(16).padStart(17, '0')}`;
const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

/** A group of many, as AWS answers in its query protocols; returns what was asked. */
async function startLargeGroup(): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, answer) => {
    void handle(request, answer);
  });
  const handle = async (request: IncomingMessage, answer: ServerResponse): Promise<void> => {
    const parameters = new URLSearchParams(await text(request));
    const action = parameters.get('Action') ?? '';
    asked.push(action);
    answer.writeHead(200, { 'content-type': 'text/xml', 'x-amzn-requestid': 'of-a-test' });
    answer.end(action === 'DescribeInstances' ? instancesPage(parameters) : groupAnswer());
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

function instancesPage(parameters: URLSearchParams): string {
  const from = Number(parameters.get('NextToken') ?? 0);
  const to = Math.min(COUNT, from + Math.min(PER_PAGE, Number(parameters.get('MaxResults'))));
  const items = numbers(from, to).map(
    (n) =>
      `<item><instancesSet><item><instanceId>${idOf(n)}</instanceId><imageId>ami-0a</imageId><instanceState><code>16</code><name>running</name></instanceState><privateIpAddress>10.0.${n >> 8}.${n & 255}</privateIpAddress><tagSet><item><key>aws:autoscaling:groupName</key><value>books</value></item></tagSet></item></instancesSet></item>`,
  );
  const next = to < COUNT ? `<nextToken>${to}</nextToken>` : '';
  return `<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><reservationSet>${items.join('')}</reservationSet>${next}</DescribeInstancesResponse>`;
}

function groupAnswer(): string {
  const members = numbers(0, COUNT).map(
    (n) => `<member><InstanceId>${idOf(n)}</InstanceId><LifecycleState>InService</LifecycleState></member>`,
  );
  return `<DescribeAutoScalingGroupsResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/"><DescribeAutoScalingGroupsResult><AutoScalingGroups><member><AutoScalingGroupName>books</AutoScalingGroupName><DesiredCapacity>${COUNT}</DesiredCapacity><Instances>${members.join('')}</Instances></member></AutoScalingGroups></DescribeAutoScalingGroupsResult></DescribeAutoScalingGroupsResponse>`;
}

test('a look at an Auto Scaling group of several pages makes one call per page of instances and one for the group', async () => {
  const { url, asked } = await startLargeGroup();
  const environment = { AWS_ENDPOINT_URL: url, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  const fleet = new GroupFleet({
    aws: openAws('eu-central-1'),
    group: 'books',
    workerPort: 8003,
    run: null,
    clock: { monotonicMs: () => 0 },
  });
  onTestFinished(() => fleet.close());
  const { desired, instances } = await fleet.observe();
  expect(asked.sort()).toEqual([
    'DescribeAutoScalingGroups',
    'DescribeInstances',
    'DescribeInstances',
    'DescribeInstances',
  ]);
  expect(desired).toBe(COUNT);
  expect(new Set(instances.map(({ id }) => id)).size).toBe(COUNT);
  expect(instances.every(({ phase }) => phase === 'running')).toBe(true);
  expect(instances.at(-1)?.url).toBe('http://10.0.8.251:8003');
});
