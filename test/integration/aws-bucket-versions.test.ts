import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { expect, inject, onTestFinished, test } from 'vitest';
import { makeWorld } from '../aws/world.ts';

/** What the tests' AWS API does as AWS documents it, where moto alone does not: see also aws-cloud.test.ts. */
test.skipIf(inject('awsUrl') === null)(
  'a bucket of the tests’ AWS API is emptied of all versions and delete markers, even when versioning is suspended',
  async () => {
    const { clients, bucket: Bucket } = await makeWorld({ onTestFinished }, { maximum: 1 });
    const keep = (Status: 'Enabled' | 'Suspended') =>
      clients.s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
    await keep('Enabled');
    await clients.s3.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'x' }));
    await clients.s3.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
    await keep('Suspended');
    const list = async () => {
      const { Versions = [], DeleteMarkers = [] } = await clients.s3.send(
        new ListObjectVersionsCommand({ Bucket }),
      );
      return [Versions, DeleteMarkers].map((found) =>
        found.map(({ Key, VersionId }) => ({ Key, VersionId })),
      );
    };
    const found = await list();
    expect(found.map(({ length }) => length)).toEqual([1, 1]);
    await clients.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: found.flat() } }));
    expect(await list()).toEqual([[], []]);
  },
);
