import { messageOf } from '../message-of.ts';

/** One call of AWS's API, in the words of a person and of an IAM policy. */
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
/** Codes of a connection that was never made. AWS cannot have received the call. */
const NOT_CONNECTED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/** Sentences for a failed call: which call, of what, why in AWS's words, and what to do. */
export function awsErrorText(error: unknown, { action, resource, region }: AwsCall): string {
  const { name, message } = nameAndMessage(error);
  const advice = adviceFor(`${name} ${message}`, action, statusOf(error));
  return `${action} of ${resource} in ${region} failed: ${name}: ${message.replace(/\.$/, '')}. ${advice}`.trimEnd();
}

/** Whether a call certainly had no effect: AWS refused it, or never received it. */
export function hadNoEffect(error: unknown): boolean {
  const status = statusOf(error);
  if (status !== null) return status >= 400 && status < 500;
  const { name } = nameAndMessage(error);
  return name === 'CredentialsProviderError' || NOT_CONNECTED.has(codeOf(error));
}

function adviceFor(text: string, action: string, status: number | null): string {
  if (THROTTLED.test(text)) return 'AWS got too many calls at once. The worker tries again.';
  if (DENIED.test(text)) {
    const permission = /kms/i.test(text) ? 'kms:Decrypt with the key of the parameters' : action;
    return `Give the instance's role the permission ${permission}.`;
  }
  if (CREDENTIALS.test(text))
    return 'Give the instance an instance profile with a role, and check its clock.';
  if (status === null) return "Check the way to AWS's API: route, security group, and endpoints of the VPC.";
  return status >= 500 ? 'AWS itself failed. The worker tries again.' : '';
}

function nameAndMessage(error: unknown): { name: string; message: string } {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  return { name: error.name, message: messageOf(error) };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Status of the HTTP answer. Null: there was no answer. */
function statusOf(error: unknown): number | null {
  if (!(error instanceof Error) || !('$metadata' in error)) return null;
  const { $metadata: metadata } = error;
  const isObject = typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata;
  return isObject && typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : null;
}
