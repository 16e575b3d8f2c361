import { cacheDirectory } from '../../embedded/cache.ts';
import type { TestScope } from '../support/run-setup.ts';
import { uniqueName } from '../support/search-calls.ts';
import { awsEnvironment } from './aws-clients.ts';
import { installMoto } from './moto-installation.ts';
import { startMoto } from './moto-server.ts';

/** An AWS API of a test's own that looks at credentials and policies. */
export interface GuardedAws {
  readonly url: string;
  /** The environment of a process that may do just these actions, on everything, and what everybody may. */
  environmentFor(actions: readonly string[]): Promise<Record<string, string>>;
}

/** @param prepare makes what must be there; it needs no permission */
export async function startGuardedAws(
  scope: TestScope,
  prepare: (url: string) => Promise<void>,
): Promise<GuardedAws> {
  const installation = await installMoto(cacheDirectory(process.env), process.env);
  if ('missing' in installation) throw new Error(installation.missing);
  const { url, stop } = await startMoto(installation);
  scope.onTestFinished(stop);
  await prepare(url);
  return {
    url,
    environmentFor: async (actions) => {
      await lookAtPolicies(url, false);
      const key = await keyOf(url, actions);
      await lookAtPolicies(url, true);
      return { ...awsEnvironment(url), ...key };
    },
  };
}

/** Moto counts calls that it lets through as they are. */
async function lookAtPolicies(url: string, looks: boolean): Promise<void> {
  await fetch(`${url}/moto-api/reset-auth`, { method: 'POST', body: looks ? '0' : '1000' });
}

async function keyOf(url: string, actions: readonly string[]): Promise<Record<string, string>> {
  const user = uniqueName('user');
  const policy = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }],
  };
  await iam(url, { Action: 'CreateUser', UserName: user });
  await iam(url, {
    Action: 'PutUserPolicy',
    UserName: user,
    PolicyName: 'only',
    PolicyDocument: JSON.stringify(policy),
  });
  const text = await iam(url, { Action: 'CreateAccessKey', UserName: user });
  const inTag = (tag: string): string => new RegExp(`<${tag}>([^<]+)<`).exec(text)?.[1] ?? '';
  return {
    AWS_ACCESS_KEY_ID: inTag('AccessKeyId'),
    AWS_SECRET_ACCESS_KEY: inTag('SecretAccessKey'),
  };
}

/** Not signed, for nobody looks yet; moto finds the service in the header. */
async function iam(url: string, parameters: Readonly<Record<string, string>>): Promise<string> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      authorization: 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/iam/aws4_request',
    },
    body: new URLSearchParams({ ...parameters, Version: '2010-05-08' }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return text;
}
