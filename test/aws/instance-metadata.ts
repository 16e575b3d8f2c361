import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * The instance metadata service of one EC2 instance, version 2 only (`HttpTokens: required`), with what a worker asks.
 * After the EC2 User Guide: "Use the Instance Metadata Service", "Instance metadata categories", "Spot Instance
 * interruption notices", "Instance rebalance recommendations".
 */

export interface InstanceFacts {
  readonly instanceId: string;
  readonly privateIp: string;
  /** E.g. `eu-central-1a`; the region is what stands before the last letter. */
  readonly availabilityZone: string;
  readonly imageId: string;
  readonly instanceType: string;
  readonly accountId: string;
  readonly launchTime: Date;
  /** Its tags, as an instance with `InstanceMetadataTags: enabled` sees them; null: as without. */
  readonly tags: Readonly<Record<string, string>> | null;
}

export interface InstanceMetadata {
  /** For `AWS_EC2_METADATA_SERVICE_ENDPOINT`. */
  readonly url: string;
  /** Tells the instance that it will be interrupted. Null takes the notice back. EC2 gives two minutes' notice. */
  interrupt(
    notice: { readonly action: 'terminate' | 'stop' | 'hibernate'; readonly time: Date } | null,
  ): void;
  /** Tells the instance that its risk of an interruption is higher. Null takes this back. */
  recommendRebalance(noticeTime: Date | null): void;
  /** Makes all tokens so far invalid, as time does. */
  expireTokens(): void;
  stop(): Promise<void>;
}

const ADDRESS = '127.0.0.4';
/** Six hours, the most that IMDSv2 grants. */
const MOST_TTL_SECONDS = 21_600;
const TTL_HEADER = 'x-aws-ec2-metadata-token-ttl-seconds';
const TOKEN_HEADER = 'x-aws-ec2-metadata-token';

export async function startInstanceMetadata(facts: InstanceFacts): Promise<InstanceMetadata> {
  const service = new MetadataService(facts);
  const server = createServer((request, answer) => service.answer(request, answer));
  server.listen(0, ADDRESS);
  await once(server, 'listening');
  return {
    url: `http://${ADDRESS}:${(server.address() as AddressInfo).port}`,
    interrupt: (notice) =>
      service.set('spot/instance-action', notice && { action: notice.action, time: seconds(notice.time) }),
    recommendRebalance: (time) =>
      service.set('events/recommendations/rebalance', time && { noticeTime: seconds(time) }),
    expireTokens: () => service.tokens.clear(),
    async stop() {
      if (!server.listening) return;
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

class MetadataService {
  /** Each token with the moment of `performance.now()` at which it ends. */
  readonly tokens = new Map<string, number>();
  /** By path below `/latest/`. */
  readonly #texts: Map<string, string>;

  constructor(facts: InstanceFacts) {
    this.#texts = new Map(Object.entries(textsOf(facts)));
  }

  /** Null: there is no such item, as before a notice. */
  set(item: string, value: object | null): void {
    const path = `meta-data/${item}`;
    if (value === null) this.#texts.delete(path);
    else this.#texts.set(path, JSON.stringify(value));
  }

  answer(request: IncomingMessage, answer: ServerResponse): void {
    request.resume();
    const path = decodeURIComponent(request.url ?? '').replace(/^\/latest\//, '');
    if (request.method === 'PUT' && path === 'api/token') return this.#giveToken(request, answer);
    if (request.method !== 'GET') return end(answer, 405, 'Method Not Allowed');
    if (!this.#isKnown(request.headers[TOKEN_HEADER])) return end(answer, 401, 'Unauthorized');
    const text = this.#texts.get(path);
    return text === undefined ? end(answer, 404, 'Not Found') : end(answer, 200, text);
  }

  #giveToken(request: IncomingMessage, answer: ServerResponse): void {
    // A proxy in between would lend the instance's rights to others.
    if (request.headers['x-forwarded-for'] !== undefined) return end(answer, 403, 'Forbidden');
    const ttl = Number(request.headers[TTL_HEADER]);
    if (!(Number.isInteger(ttl) && ttl >= 1 && ttl <= MOST_TTL_SECONDS))
      return end(answer, 400, 'Bad Request');
    const token = randomUUID();
    this.tokens.set(token, performance.now() + ttl * 1000);
    answer.setHeader(TTL_HEADER, String(ttl));
    return end(answer, 200, token);
  }

  #isKnown(token: string | string[] | undefined): boolean {
    return typeof token === 'string' && (this.tokens.get(token) ?? 0) > performance.now();
  }
}

function textsOf(facts: InstanceFacts): Record<string, string> {
  const region = facts.availabilityZone.replace(/[a-z]$/, '');
  const document = {
    accountId: facts.accountId,
    architecture: 'arm64',
    availabilityZone: facts.availabilityZone,
    imageId: facts.imageId,
    instanceId: facts.instanceId,
    instanceType: facts.instanceType,
    pendingTime: seconds(facts.launchTime),
    privateIp: facts.privateIp,
    region,
    version: '2017-09-30',
  };
  return {
    'meta-data/instance-id': facts.instanceId,
    'meta-data/local-ipv4': facts.privateIp,
    'meta-data/ami-id': facts.imageId,
    'meta-data/instance-type': facts.instanceType,
    'meta-data/placement/availability-zone': facts.availabilityZone,
    'meta-data/placement/region': region,
    'dynamic/instance-identity/document': JSON.stringify(document, null, 2),
    ...tagTexts(facts.tags),
    ...roleTexts(),
  };
}

const ROLE = 'reindex-worker';
/** Of whom an instance calls AWS as. */
export const WORKER_ACCESS_KEY = 'of-the-workers';
const CREDENTIALS_HOURS = 6;

/** The credentials of the instance's role (EC2 User Guide, "Retrieve security credentials from instance metadata"). */
function roleTexts(): Record<string, string> {
  const credentials = {
    Code: 'Success',
    LastUpdated: seconds(new Date()),
    Type: 'AWS-HMAC',
    AccessKeyId: WORKER_ACCESS_KEY,
    SecretAccessKey: 'test',
    Token: 'test',
    Expiration: seconds(new Date(Date.now() + CREDENTIALS_HOURS * 3_600_000)),
  };
  const path = 'meta-data/iam/security-credentials/';
  return { [path]: ROLE, [path + ROLE]: JSON.stringify(credentials) };
}

function tagTexts(tags: InstanceFacts['tags']): Record<string, string> {
  if (tags === null) return {};
  const entries = Object.entries(tags).map(([key, value]) => [`meta-data/tags/instance/${key}`, value]);
  return { 'meta-data/tags/instance': Object.keys(tags).join('\n'), ...Object.fromEntries(entries) };
}

/** EC2 writes times to the second. */
function seconds(time: Date): string {
  return time.toISOString().replace(/\.\d{3}Z$/, 'Z');
}

function end(answer: ServerResponse, status: number, text: string): void {
  answer.writeHead(status, { 'content-type': 'text/plain' });
  answer.end(text);
}
