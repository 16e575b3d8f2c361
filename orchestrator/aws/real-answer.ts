import { answerWords } from '../../definition/answer-words.ts';

/**
 * What every real answer to a call has. An answer without it is a gateway's page or another server, and to the SDK it
 * looks like an empty list or a write that is done. Calls that are not named here are known by their request id alone.
 */
const ALWAYS_THERE: Readonly<Record<string, string>> = {
  PutObjectCommand: 'ETag',
  GetObjectCommand: 'ETag',
  ListObjectsV2Command: 'KeyCount',
  GetCallerIdentityCommand: 'Account',
  DescribeAutoScalingGroupsCommand: 'AutoScalingGroups',
  DescribeScalingActivitiesCommand: 'Activities',
  DescribeInstanceRefreshesCommand: 'InstanceRefreshes',
  TerminateInstanceInAutoScalingGroupCommand: 'Activity',
  DescribeInstancesCommand: 'Reservations',
  DescribeLaunchTemplateVersionsCommand: 'LaunchTemplateVersions',
  DescribeImagesCommand: 'Images',
  GetParameterCommand: 'Parameter',
};

/** The headers in which AWS, and servers that speak as it does, name each request. */
const REQUEST_ID = ['x-amzn-requestid', 'x-amzn-request-id', 'x-amz-request-id'];
/** The most of a page that is read for its title. */
const MOST_READ = 65_536;

/** Something answered in AWS's place. The SDK repeats the call, where it repeats calls at all. */
class ForeignAnswer extends Error {
  override readonly name = 'ForeignAnswer';
  /** By this the SDK knows that another try may help. */
  readonly $retryable = {};
}

/** The parts of an SDK's client to which a check is added. */
export interface CheckedClient {
  readonly middlewareStack: {
    add(middleware: Middleware, options: object): void;
  };
}

type Handler = (input: HandlerInput) => Promise<{ readonly response: unknown; readonly output: object }>;
type Middleware = (next: Handler, context: { readonly commandName?: string }) => Handler;
interface HandlerInput {
  readonly input: object;
  readonly request: unknown;
}

interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Makes a client take no answer for AWS's that lacks what every answer of AWS has. */
export function requireRealAnswers<C extends CheckedClient>(client: C): C {
  // The first looks at the answer before it is parsed, and the second at what was parsed.
  client.middlewareStack.add(requireRequestId, { step: 'deserialize', priority: 'low', name: 'requestId' });
  client.middlewareStack.add(requireElement, { step: 'deserialize', priority: 'high', name: 'element' });
  return client;
}

const requireRequestId: Middleware = (next, { commandName = '' }) => {
  return async (args) => {
    const result = await next(args);
    const answer = result.response as HttpAnswer;
    // AWS's own gateways may lose the id when they fail. The status says enough then.
    if (answer.statusCode >= 500 || REQUEST_ID.some((name) => answer.headers[name] !== undefined))
      return result;
    throw foreign(
      args,
      commandName,
      `status ${answer.statusCode}, without a request id: ${await wordsOf(answer)}`,
    );
  };
};

const requireElement: Middleware = (next, { commandName = '' }) => {
  const element = ALWAYS_THERE[commandName];
  return async (args) => {
    const result = await next(args);
    if (element === undefined || Reflect.get(result.output, element) !== undefined) return result;
    const { statusCode } = result.response as HttpAnswer;
    throw foreign(args, commandName, `status ${statusCode}, without ${element}`);
  };
};

function foreign({ request }: HandlerInput, commandName: string, said: string): ForeignAnswer {
  const { protocol, hostname, port } = request as { protocol: string; hostname: string; port?: number };
  const endpoint = `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
  const call = commandName.replace(/Command$/, '');
  return new ForeignAnswer(`${endpoint} did not answer ${call} as AWS does: ${said}`);
}

/** What came in place of an answer. */
async function wordsOf({ headers, body }: HttpAnswer): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MOST_READ) break;
  }
  const type = headers['content-type'] ?? 'no content type';
  return `${type}, ${answerWords(Buffer.concat(chunks).toString()) ?? 'an empty body'}`;
}
