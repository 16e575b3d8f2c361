import { messageOf } from '../message-of.ts';

/** One call of AWS's API as a person and an IAM policy name it. */
export interface AwsCall {
  /** Such as `ssm:GetParametersByPath`: the action that the policy must allow. */
  readonly action: string;
  /** What it is about, for a person. */
  readonly resource: string;
  readonly region: string;
}

const THROTTLED = /thrott|toomanyrequests|requestlimitexceeded/i;
const DENIED = /accessdenied|unauthorizedoperation|not authorized/i;
const CREDENTIALS =
  /expiredtoken|invalidclienttoken|unrecognizedclient|invalidsignature|signaturedoesnotmatch|credentialsprovider/i;
/** Of a connection that was never made, so that the call cannot have been heard. */
const NOT_CONNECTED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/** A failed call as sentences: which, of what, why in AWS's words, and what to do about it. */
export function awsErrorText(error: unknown, { action, resource, region }: AwsCall): string {
  const { name, message } = nameAndMessage(error);
  const advice = adviceFor(`${name} ${message}`, action, statusOf(error));
  return `${action} of ${resource} in ${region} failed: ${name}: ${message.replace(/\.$/, '')}. ${advice}`.trimEnd();
}

/** Whether it is certain that a call had no effect: AWS refused it, or never heard it. */
export function hadNoEffect(error: unknown): boolean {
  const status = statusOf(error);
  if (status !== null) return status >= 400 && status < 500;
  const { name } = nameAndMessage(error);
  return name === 'CredentialsProviderError' || NOT_CONNECTED.has(codeOf(error));
}

function adviceFor(text: string, action: string, status: number | null): string {
  if (THROTTLED.test(text)) return 'Too many calls at once: it is tried again.';
  if (DENIED.test(text)) {
    const permission = /kms/i.test(text) ? 'kms:Decrypt with the key of the parameters' : action;
    return `Allow the role of the instance ${permission}.`;
  }
  if (CREDENTIALS.test(text))
    return 'The instance needs an instance profile with a role, and a clock that is right.';
  if (status === null)
    return "Is there a way to AWS's API: a route, a security group, an endpoint of the VPC?";
  return status >= 500 ? "The fault is on AWS's side: it is tried again." : '';
}

function nameAndMessage(error: unknown): { name: string; message: string } {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  return { name: error.name, message: messageOf(error) };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Of the HTTP answer; null: none came. */
function statusOf(error: unknown): number | null {
  if (!(error instanceof Error) || !('$metadata' in error)) return null;
  const { $metadata: metadata } = error;
  const isObject = typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata;
  return isObject && typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : null;
}
