import { randomUUID } from 'node:crypto';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { vi } from 'vitest';
import { openAws } from '../../orchestrator/aws/clients.ts';
import { openS3Store } from '../../orchestrator/journal/s3-store.ts';
import type { JournalStore } from '../../orchestrator/journal/store.ts';
import { awsEnvironment, REGION, testClients } from './aws-clients.ts';

/** Makes a bucket, by default of a name of its own. */
export async function createTestBucket(url: string, bucket = `journal-${randomUUID()}`): Promise<string> {
  const clients = testClients(url);
  await clients.s3.send(
    new CreateBucketCommand({
      Bucket: bucket,
      CreateBucketConfiguration: { LocationConstraint: REGION },
    }),
  );
  clients.destroy();
  return bucket;
}

/** Makes a bucket of another account than the one that tests call as. */
export async function createForeignBucket(url: string): Promise<string> {
  const bucket = `foreign-${randomUUID()}`;
  const answer = await fetch(`${url}/${bucket}`, {
    method: 'PUT',
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${REGION}/s3/aws4_request`,
      'x-moto-account-id': '999999999999',
    },
    body: `<CreateBucketConfiguration><LocationConstraint>${REGION}</LocationConstraint></CreateBucketConfiguration>`,
  });
  if (!answer.ok) throw new Error(await answer.text());
  return bucket;
}

/** A store that calls AWS's API at this address, with clients of its own as another process has. */
export async function openTestStore(
  url: string,
  place: { readonly bucket: string; readonly prefix: string },
  environment = awsEnvironment(url),
): Promise<JournalStore> {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const store = openS3Store(openAws(REGION), place);
  // The SDK looks at the environment when a client is first used; it is another one for the next store.
  await store.read('nothing').catch(() => {});
  vi.unstubAllEnvs();
  return store;
}
