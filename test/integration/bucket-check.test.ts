import { createServer } from 'node:http';
import { describe, expect, inject, it } from 'vitest';
import { systemClock } from '../../orchestrator/clock.ts';
import { certainStore } from '../../orchestrator/journal/certain-store.ts';
import { checkStore } from '../../orchestrator/journal/check-store.ts';
import type { JournalStore } from '../../orchestrator/journal/store.ts';
import { startApiProxy } from '../aws/api-proxy.ts';
import { awsEnvironment, REGION } from '../aws/aws-clients.ts';
import { type Credentials, startEnforcedAws } from '../aws/enforced-aws.ts';
import { createForeignBucket, createTestBucket, openTestStore } from '../aws/test-bucket.ts';
import { listenForTest } from '../support/listen.ts';
import { errorOf } from '../support/run-command.ts';
import { type RunSetup, setUpRun, type TestScope } from '../support/run-setup.ts';
import { PLACES } from '../support/run-table.ts';

/** A bucket that a run cannot use is named before the run begins, with everything that is wrong with it. */

const awsUrl = inject('awsUrl') ?? '';
const ACTIONS = ['s3:ListBucket', 's3:GetObject', 's3:PutObject', 's3:DeleteObject'] as const;

async function faultsOf(
  url: string,
  bucket: string,
  environment?: Record<string, string>,
): Promise<string[]> {
  const store = await openTestStore(url, { bucket, prefix: 'books' }, environment);
  return checkStore(certainStore(store, systemClock));
}

/** What S3 answers for a bucket of another region. */
async function startElsewhere(scope: TestScope, region: string): Promise<string> {
  const server = createServer((call, answer) => {
    call.resume();
    if (/\/sts\/aws4_request/.test(call.headers.authorization ?? ''))
      return answer
        .writeHead(200, { 'content-type': 'text/xml', 'x-amzn-requestid': 'r' })
        .end(
          '<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>',
        );
    answer.writeHead(301, {
      'content-type': 'application/xml',
      'x-amz-bucket-region': region,
      'x-amz-request-id': 'r',
    });
    return answer.end(
      '<Error><Code>PermanentRedirect</Code><Message>The bucket you are attempting to access must be addressed using the specified endpoint.</Message></Error>',
    );
  });
  return listenForTest(scope, server);
}

describe.skipIf(awsUrl === '')('the check of a journal bucket', { timeout: 120_000 }, () => {
  it('finds no fault in a good bucket, as often as it is made', async () => {
    const bucket = await createTestBucket(awsUrl);
    expect(await faultsOf(awsUrl, bucket)).toEqual([]);
    // One after the other, for each looks at the environment; the checks themselves are made at once.
    const stores: JournalStore[] = [];
    for (let i = 0; i < 3; i += 1) stores.push(await openTestStore(awsUrl, { bucket, prefix: 'books' }));
    const checks = stores.map((store) => checkStore(certainStore(store, systemClock)));
    expect(await Promise.all(checks)).toEqual([[], [], []]);
  });

  it('survives calls that fail once', async (scope) => {
    const proxy = await startApiProxy(scope, awsUrl);
    const bucket = await createTestBucket(awsUrl);
    proxy.fail({ action: 'PutObject', times: 1, with: 'lost answer' });
    proxy.fail({ action: 'DeleteObject', times: 1, with: 'throttled' });
    expect(await faultsOf(proxy.url, bucket)).toEqual([]);
  });

  it('refuses a store without conditional writes', async (scope) => {
    const proxy = await startApiProxy(scope, awsUrl);
    const bucket = await createTestBucket(awsUrl);
    proxy.fail({ action: 'PutObject', with: 'without condition' });
    expect(await faultsOf(proxy.url, bucket)).toEqual([
      expect.stringMatching(
        new RegExp(`s3://${bucket}/books is not safe: this store does not honour conditional writes`),
      ),
    ]);
  });

  it('names every missing permission', async (scope) => {
    const aws = await startEnforcedAws(scope);
    const bucket = await createTestBucket(aws.url);
    const all = await aws.credentialsFor(...ACTIONS);
    const some = await Promise.all(
      ACTIONS.map(async (missing) => ({
        missing,
        credentials: await aws.credentialsFor(...ACTIONS.filter((action) => action !== missing)),
      })),
    );
    const one = await aws.credentialsFor('s3:GetObject');
    await aws.enforce();
    const faultsWith = (credentials: Credentials): Promise<string[]> =>
      faultsOf(aws.url, bucket, awsEnvironment(aws.url, credentials));

    expect(await faultsWith(all)).toEqual([]);
    for (const { missing, credentials } of some) {
      const faults = await faultsWith(credentials);
      expect(faults.length).toBeGreaterThan(0);
      for (const fault of faults)
        expect(fault).toMatch(new RegExp(`${missing} on s3://.*the permission ${missing} is missing`));
    }
    const faults = await faultsWith(one);
    for (const missing of ['s3:ListBucket', 's3:PutObject', 's3:DeleteObject'])
      expect(faults.join('\n')).toContain(`the permission ${missing} is missing`);
    expect(faults.join('\n')).not.toContain('s3:GetObject is missing');
  });

  it('refuses a bucket that does not exist', async () => {
    expect(await faultsOf(awsUrl, 'no-such-bucket-of-ours')).toEqual([
      expect.stringMatching(
        /^the journal cannot be read: s3:ListBucket on s3:\/\/no-such-bucket-of-ours\/books\/probe\/: NoSuchBucket: .* \(the bucket no-such-bucket-of-ours does not exist: create it in account 123456789012, or correct journal.url/,
      ),
    ]);
  });

  it('refuses a bucket of another account', async () => {
    const faults = await faultsOf(awsUrl, await createForeignBucket(awsUrl));
    expect(faults.join('\n')).toContain(
      'or the bucket does not belong to account 123456789012: correct journal.url',
    );
  });

  it('names the region of a bucket that is in another one', async (scope) => {
    const url = await startElsewhere(scope, 'ap-southeast-2');
    expect(await faultsOf(url, 'books-journal')).toEqual([
      expect.stringContaining(
        `(the bucket is in ap-southeast-2, not in ${REGION}: correct aws.region or journal.url`,
      ),
    ]);
  });
});

describe.skipIf(awsUrl === '')('a command whose journal is in a bucket', { timeout: 120_000 }, () => {
  async function setUp(scope: TestScope, bucket: string): Promise<RunSetup> {
    return setUpRun(scope, {
      databaseUrl: inject('postgresUrl'),
      definition: PLACES,
      settings: {
        journal: { url: `s3://${bucket}/reindex-fleet` },
        aws: { region: REGION },
        auto_scaling: { group: 'books', token_parameter: '/books/token' },
      },
    });
  }

  const COMMANDS = ['status', 'run', 'abandon', 'rollback'];

  /** What each command says that ends with exit 1. */
  async function errorsOf(setup: RunSetup, environment: Record<string, string>): Promise<string[]> {
    const errors: string[] = [];
    for (const command of COMMANDS)
      errors.push(errorOf(await setup.startWith({ environment }, command).ended, 1));
    return errors;
  }

  it('tells the status of an empty fleet', async (scope) => {
    const bucket = await createTestBucket(awsUrl);
    const setup = await setUp(scope, bucket);
    const ended = await setup.startWith({ environment: awsEnvironment(awsUrl) }, 'status').ended;
    expect(ended.result).toMatchObject({
      status: 'no run yet',
      journal: `s3://${bucket}/reindex-fleet/${setup.alias}`,
    });
  });

  it('says that the bucket does not exist', async (scope) => {
    const setup = await setUp(scope, 'no-such-bucket-of-ours');
    for (const error of await errorsOf(setup, awsEnvironment(awsUrl)))
      expect(error).toMatch(
        /^the journal cannot be read: s3:ListBucket on .*the bucket no-such-bucket-of-ours does not exist.*\)$/m,
      );
  });

  it('says that there are no AWS credentials', async (scope) => {
    const environment = { AWS_ENDPOINT_URL: awsUrl, AWS_REGION: REGION, AWS_EC2_METADATA_DISABLED: 'true' };
    for (const error of await errorsOf(await setUp(scope, 'books'), environment))
      expect(error).toMatch(
        /^sts:GetCallerIdentity on this process’s credentials in region eu-central-1: .*no AWS credentials: set/,
      );
  });

  it('says once that a profile gives no credentials, even if journal and group both need them', async (scope) => {
    const environment = {
      AWS_ENDPOINT_URL: awsUrl,
      AWS_PROFILE: 'absent',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_CONFIG_FILE: '/dev/null',
    };
    for (const error of await errorsOf(await setUp(scope, 'books'), environment)) {
      expect(error).toMatch(
        /Could not load credentials from any providers \(no AWS credentials: set AWS_PROFILE, /,
      );
      expect(error.split('sts:GetCallerIdentity')).toHaveLength(2);
    }
  });

  it('says that AWS does not answer', async (scope) => {
    const environment = awsEnvironment('http://127.0.0.1:1');
    for (const error of await errorsOf(await setUp(scope, 'books'), environment))
      expect(error).toMatch(/^sts:GetCallerIdentity on .*ECONNREFUSED.*AWS did not answer/);
  });
});
