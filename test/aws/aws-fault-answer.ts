/** An error as AWS answers it. */
export interface AwsError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

export interface FaultAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

type NamedError = 'throttled' | 'unavailable' | 'internal error' | 'conflict';

/**
 * What each service says, from their API references: "Common errors" of Auto Scaling, Systems Manager and STS, "Error
 * codes" of EC2, "Error responses" of S3.
 */
export function errorOf(service: string, name: NamedError): AwsError {
  const errors = ERRORS[service] ?? COMMON;
  const [status, code, message] = errors[name] ?? COMMON[name] ?? [500, 'InternalFailure', name];
  return { status, code, message };
}

type Errors = Readonly<Partial<Record<NamedError, readonly [status: number, code: string, message: string]>>>;

const COMMON: Errors = {
  throttled: [400, 'Throttling', 'Rate exceeded'],
  unavailable: [
    503,
    'ServiceUnavailable',
    'The request has failed due to a temporary failure of the server.',
  ],
  'internal error': [
    500,
    'InternalFailure',
    'The request processing has failed because of an unknown error.',
  ],
};

const ERRORS: Readonly<Record<string, Errors>> = {
  ec2: {
    throttled: [503, 'RequestLimitExceeded', 'Request limit exceeded.'],
    unavailable: [503, 'Unavailable', 'The server is overloaded and cannot handle the request.'],
    'internal error': [500, 'InternalError', 'An internal error has occurred'],
  },
  ssm: {
    throttled: [400, 'ThrottlingException', 'Rate exceeded'],
    'internal error': [500, 'InternalServerError', 'An error occurred on the server side.'],
  },
  s3: {
    throttled: [503, 'SlowDown', 'Please reduce your request rate.'],
    unavailable: [503, 'ServiceUnavailable', 'Service is unable to handle request.'],
    'internal error': [500, 'InternalError', 'We encountered an internal error. Please try again.'],
    conflict: [
      409,
      'ConditionalRequestConflict',
      'The conditional request cannot succeed due to a conflicting operation against this resource.',
    ],
  },
};

/**
 * What a caller hears to whom a call is not allowed.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
 *
 * @param action as IAM names it; a call may want another than its own
 * @param because of whatever policy; by default no policy allows it
 */
export function denialOf(service: string, { caller, action, resource, because }: Denial): AwsError {
  const [status, code] = DENIALS[service] ?? [403, 'AccessDenied'];
  const reason = because ?? `no identity-based policy allows the ${action} action`;
  const message = `User: ${caller} is not authorized to perform: ${action} on resource: ${resource} because ${reason}`;
  return { status, code, message };
}

export interface Denial {
  /** An ARN. */
  readonly caller: string;
  readonly action: string;
  readonly resource: string;
  readonly because?: string;
}

const DENIALS: Readonly<Record<string, readonly [status: number, code: string]>> = {
  ec2: [403, 'UnauthorizedOperation'],
  ssm: [400, 'AccessDeniedException'],
};

/** In the form of the service's protocol: query (Auto Scaling, STS), EC2's own, JSON (Systems Manager), REST (S3). */
export function answerOf(service: string, { status, code, message }: AwsError): FaultAnswer {
  const error = `<Code>${code}</Code><Message>${message}</Message>`;
  const xml = (text: string): FaultAnswer => ({
    status,
    contentType: 'text/xml',
    body: `<?xml version="1.0" encoding="UTF-8"?>\n${text}`,
  });
  switch (service) {
    case 'ec2':
      return xml(
        `<Response><Errors><Error>${error}</Error></Errors><RequestID>of-a-test</RequestID></Response>`,
      );
    case 's3':
      return xml(`<Error>${error}<RequestId>of-a-test</RequestId></Error>`);
    case 'ssm':
      return {
        status,
        contentType: 'application/x-amz-json-1.1',
        body: JSON.stringify({ __type: code, message }),
      };
    default: {
      const type = status >= 500 ? 'Receiver' : 'Sender';
      return xml(
        `<ErrorResponse><Error><Type>${type}</Type>${error}</Error><RequestId>of-a-test</RequestId></ErrorResponse>`,
      );
    }
  }
}
