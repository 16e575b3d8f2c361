import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { cacheDirectory } from '../../embedded/cache.ts';
import { REGION } from '../aws/aws-clients.ts';
import { installMoto } from '../aws/moto-installation.ts';
import type { TestScope } from '../support/run-setup.ts';

const PROGRAM = fileURLToPath(new URL('./aws_calls.py', import.meta.url));

/** As it stands in the service's model, e.g. `CreateRole` of `iam`. */
export interface AwsOperation {
  readonly service: string;
  readonly operation: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

export type AwsAnswer = Readonly<Record<string, unknown>>;

/** Calls any operation of any service, which the SDK would need a package for each for. */
export interface AwsCalls {
  /** What is wrong with the parameters by the service's model, a sentence each; calls nothing. */
  faults(operation: AwsOperation): Promise<string[]>;
  /**
   * @param url of AWS's API
   * @throws AwsRefusal when the parameters are wrong by the service's model, or AWS refuses the call
   */
  call(operation: AwsOperation, url: string): Promise<AwsAnswer>;
}

class AwsRefusal extends Error {
  /** AWS's own, e.g. `NoSuchEntity`; null: it was not even called. */
  readonly code: string | null;

  constructor({ service, operation }: AwsOperation, code: string | null, sentences: readonly string[]) {
    super(`${service}.${operation}: ${sentences.join('; ')}`);
    this.code = code;
  }
}

interface Reply {
  readonly faults?: string[];
  readonly error?: { readonly code: string; readonly message: string };
  readonly answer?: AwsAnswer;
}

/** One process of botocore, which comes with moto; it ends with the test, and with this process. */
export async function openAwsCalls(scope: TestScope): Promise<AwsCalls> {
  const installation = await installMoto(cacheDirectory(process.env), process.env);
  if ('missing' in installation) throw new Error(installation.missing);
  const child = spawn(installation.python, ['-s', PROGRAM, REGION], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      PYTHONPATH: installation.packages,
      PYTHONDONTWRITEBYTECODE: '1',
    },
  });
  const ended = once(child, 'close');
  scope.onTestFinished(async () => {
    child.stdin.end();
    await ended;
  });
  const ask = asker(child);
  return {
    faults: async (operation) => (await ask({ ...operation, url: null })).faults ?? [],
    async call(operation, url) {
      const { faults, error, answer } = await ask({ ...operation, url });
      if (faults !== undefined) throw new AwsRefusal(operation, null, faults);
      if (error !== undefined) throw new AwsRefusal(operation, error.code, [error.message]);
      return answer ?? {};
    },
  };
}

/** It answers one question after the other, in their order. */
function asker({ stdin, stdout, stderr }: ChildProcess): (question: object) => Promise<Reply> {
  const waiting: PromiseWithResolvers<Reply>[] = [];
  let words = '';
  stderr?.on('data', (chunk: Buffer) => (words += chunk.toString()));
  if (stdout === null) throw new Error('There is no pipe from botocore.');
  createInterface(stdout)
    .on('line', (line) => waiting.shift()?.resolve(JSON.parse(line) as Reply))
    .on('close', () => {
      for (const { reject } of waiting.splice(0)) reject(new Error(`botocore has ended: ${words}`));
    });
  stdin?.on('error', () => undefined); // its end says so
  return (question) => {
    const reply = Promise.withResolvers<Reply>();
    waiting.push(reply);
    stdin?.write(`${JSON.stringify(question)}\n`);
    return reply.promise;
  };
}
