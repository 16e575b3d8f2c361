import type { IncomingHttpHeaders } from 'node:http';

/** One call of AWS's API, whatever its protocol. */
export interface AwsCall {
  /** As in the signature: `autoscaling`, `ec2`, `ssm`, `s3`, `sts`. */
  readonly service: string;
  /** As IAM names it, e.g. `TerminateInstanceInAutoScalingGroup`, `PutObject`. */
  readonly action: string;
  /** As they were sent: `InstanceId.1` in the query protocol; JSON's own names; `Bucket`, `Key` and conditions for S3. */
  readonly parameters: Readonly<Record<string, string>>;
  /** All that the parameters name. */
  readonly instanceIds: readonly string[];
}

export interface RawCall {
  readonly method: string;
  /** With its query string. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export function parseCall(raw: RawCall): AwsCall {
  const service = /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(raw.headers.authorization ?? '')?.[1] ?? '';
  const [action, parameters] = service === 's3' ? s3Call(raw) : (jsonCall(raw) ?? queryCall(raw));
  const instanceIds = [...new Set(JSON.stringify(parameters).match(/\bi-[0-9a-f]{8,17}\b/g) ?? [])];
  return { service, action, parameters, instanceIds };
}

/** Who calls; empty: nobody says so. */
export function accessKeyIdOf({ headers }: RawCall): string {
  return /Credential=([^/]+)\//.exec(headers.authorization ?? '')?.[1] ?? '';
}

type Parsed = [action: string, parameters: Record<string, string>];

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html */
function queryCall({ body }: RawCall): Parsed {
  const {
    Action: action = '',
    Version: _,
    ...parameters
  } = Object.fromEntries(new URLSearchParams(body.toString()));
  return [action, parameters];
}

/** `X-Amz-Target: AmazonSSM.GetParameter`, parameters as a JSON object. */
function jsonCall({ headers, body }: RawCall): Parsed | null {
  const target = headers['x-amz-target'];
  if (typeof target !== 'string') return null;
  const values = Object.entries(JSON.parse(body.toString() || '{}') as Record<string, unknown>);
  const texts = values.map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  return [target.slice(target.lastIndexOf('.') + 1), Object.fromEntries(texts)];
}

const OBJECT_ACTIONS: Readonly<Record<string, string>> = {
  GET: 'GetObject',
  PUT: 'PutObject',
  HEAD: 'HeadObject',
  DELETE: 'DeleteObject',
};
const BUCKET_ACTIONS: Readonly<Record<string, string>> = {
  GET: 'ListObjectsV2',
  PUT: 'CreateBucket',
  HEAD: 'HeadBucket',
  DELETE: 'DeleteBucket',
};
const CONDITIONS = ['if-match', 'if-none-match', 'x-amz-expected-bucket-owner'];

/** Path style: `/bucket/key`. A part of a bucket or object, such as `?versioning`, is named behind the action. */
function s3Call({ method, path, headers }: RawCall): Parsed {
  const url = new URL(path, 'http://s3');
  const [bucket = '', ...key] = decodeURIComponent(url.pathname.slice(1)).split('/');
  const hasKey = key.join('/') !== '';
  const part = [...url.searchParams].find(([name, value]) => value === '' && name !== 'prefix')?.[0];
  const action = (hasKey ? OBJECT_ACTIONS : bucket === '' ? { GET: 'ListBuckets' } : BUCKET_ACTIONS)[method];
  const conditions = CONDITIONS.flatMap((name) =>
    typeof headers[name] === 'string' ? [[name, headers[name]] as const] : [],
  );
  return [
    `${action ?? method}${part === undefined ? '' : `?${part}`}`,
    {
      ...(bucket !== '' && { Bucket: bucket }),
      ...(hasKey && { Key: key.join('/') }),
      ...(url.searchParams.has('prefix') && { Prefix: url.searchParams.get('prefix') ?? '' }),
      ...Object.fromEntries(conditions),
    },
  ];
}
