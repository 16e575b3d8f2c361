import { cacheDirectory } from '../../embedded/cache.ts';
import type { TestScope } from '../support/run-setup.ts';
import { uniqueName } from '../support/search-calls.ts';
import { installMoto } from './moto-installation.ts';
import { startMoto } from './moto-server.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** An AWS API for one test. It checks signatures and policies after `enforce`. */
export interface EnforcedAws {
  readonly url: string;
  /** Of a new user who may do everything but these, e.g. `ssm:GetParameter`. Only before `enforce`. */
  credentialsWithout(...actions: string[]): Promise<Credentials>;
  /** Of a new user who may do these, and what everybody may. Only before `enforce`. */
  credentialsFor(...actions: string[]): Promise<Credentials>;
  /** What is to be there already (see `makeWorld`) must have been made before; it is taken away after it. */
  enforce(): Promise<void>;
}

export async function startEnforcedAws(scope: TestScope): Promise<EnforcedAws> {
  const installation = await installMoto(cacheDirectory(process.env), process.env);
  if ('missing' in installation) throw new Error(installation.missing);
  const server = await startMoto(installation);
  scope.onTestFinished(server.stop);
  /** Moto looks away for the first so many calls. */
  const lookAwayFor = async (calls: number): Promise<void> => {
    const answer = await fetch(`${server.url}/moto-api/reset-auth`, {
      method: 'POST',
      body: calls === Number.POSITIVE_INFINITY ? 'inf' : String(calls),
    });
    if (!answer.ok) throw new Error(`The AWS API does not change its enforcement: ${await answer.text()}`);
  };
  return {
    url: server.url,
    credentialsWithout: (...actions) =>
      makeUser(server.url, [
        { Effect: 'Allow', Action: '*', Resource: '*' },
        ...(actions.length > 0 ? [{ Effect: 'Deny', Action: actions, Resource: '*' } as const] : []),
      ]),
    credentialsFor: (...actions) =>
      makeUser(server.url, [{ Effect: 'Allow', Action: actions, Resource: '*' }]),
    async enforce() {
      await lookAwayFor(0);
      scope.onTestFinished(() => lookAwayFor(Number.POSITIVE_INFINITY));
    },
  };
}

interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource: '*';
}

async function makeUser(url: string, statements: readonly Statement[]): Promise<Credentials> {
  const UserName = uniqueName('user');
  const policy = { Version: '2012-10-17', Statement: statements };
  await callIam(url, { Action: 'CreateUser', UserName });
  await callIam(url, {
    Action: 'PutUserPolicy',
    UserName,
    PolicyName: 'test',
    PolicyDocument: JSON.stringify(policy),
  });
  const xml = await callIam(url, { Action: 'CreateAccessKey', UserName });
  const textOf = (name: string): string => new RegExp(`<${name}>([^<]+)</${name}>`).exec(xml)?.[1] ?? '';
  return { accessKeyId: textOf('AccessKeyId'), secretAccessKey: textOf('SecretAccessKey') };
}

/** Nothing else uses the SDK's client for IAM. Of a signature Moto reads only the service. */
async function callIam(url: string, parameters: Readonly<Record<string, string>>): Promise<string> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { authorization: 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/iam/aws4_request' },
    body: new URLSearchParams({ Version: '2010-05-08', ...parameters }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`IAM does not do ${parameters['Action']}: ${text}`);
  return text;
}
