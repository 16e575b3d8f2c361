import { PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, inject, it } from 'vitest';
import { groupOf, instancesOf, setDesired } from '../aws/group.ts';
import { type AwsCalls, openAwsCalls } from '../infra/aws-calls.ts';
import { listsThatName } from '../infra/named-resources.ts';
import { makeStackWorld, type StackWorld } from '../infra/stack-world.ts';
import type { TestScope } from '../support/run-setup.ts';
import { uniqueName } from '../support/search-calls.ts';

/** What the stack registers, made by calls of AWS's API and looked at there. */

interface Looked {
  readonly world: StackWorld;
  readonly calls: AwsCalls;
  /** The answer of a call that asks. */
  readonly look: (service: string, operation: string, parameters: object) => Promise<unknown>;
}

async function makeFleet(scope: TestScope): Promise<Looked> {
  const world = await makeStackWorld(scope, {
    fleet: uniqueName('books'),
    databaseUrl: inject('postgresUrl'),
    definitionFile: '/opt/definitions/books.yaml',
    settings: { tags: { team: 'search' } },
  });
  const calls = await openAwsCalls(scope);
  return {
    world,
    calls,
    look: (service, operation, parameters) =>
      calls.call({ service, operation, parameters: { ...parameters } }, world.awsUrl),
  };
}

describe.skipIf(inject('awsUrl') === null)('a stack that is created', { timeout: 120_000 }, () => {
  it('rests at zero, and launches instances with the right settings', async (scope) => {
    const { world, look } = await makeFleet(scope);
    expect(await groupOf(world)).toMatchObject({
      MinSize: 0,
      DesiredCapacity: 0,
      Instances: [],
      NewInstancesProtectedFromScaleIn: true,
      SuspendedProcesses: [expect.objectContaining({ ProcessName: 'AZRebalance' })],
    });

    await setDesired(world, 1);
    const [instance] = await instancesOf(world);
    const tags = [
      { Key: 'Name', Value: world.group },
      { Key: 'team', Value: 'search' },
      { Key: 'reindex-fleet:fleet', Value: world.group.replace('reindex-fleet-', '') },
    ];
    expect(instance).toMatchObject({
      ImageId: world.imageId,
      MetadataOptions: {
        HttpTokens: 'required',
        HttpPutResponseHopLimit: 1,
        InstanceMetadataTags: 'enabled',
      },
      SecurityGroups: [{ GroupId: world.stack.outputs.workers_security_group }],
    });
    expect(instance?.Tags).toEqual(expect.arrayContaining(tags));
    const filters = [{ Name: 'attachment.instance-id', Values: [instance?.InstanceId] }];
    expect(await look('ec2', 'DescribeVolumes', { Filters: filters })).toMatchObject({
      Volumes: [{ Encrypted: true, VolumeType: 'gp3', Tags: expect.arrayContaining(tags) }],
    });
    expect(
      await look('ec2', 'DescribeInstanceAttribute', {
        InstanceId: instance?.InstanceId,
        Attribute: 'instanceInitiatedShutdownBehavior',
      }),
    ).toMatchObject({ InstanceInitiatedShutdownBehavior: { Value: 'terminate' } });
  });

  it('is gone without a trace when it is destroyed, together with what a run left in it', async (scope) => {
    const { world, calls, look } = await makeFleet(scope);
    const named = (): Promise<Readonly<Record<string, number>>> =>
      listsThatName(calls, world.awsUrl, world.group.replace('reindex-fleet-', ''));
    expect(Object.keys(await named())).toHaveLength(13);
    await setDesired(world, 1);
    for (const text of ['first', 'second'])
      await world.clients.s3.send(
        new PutObjectCommand({ Bucket: world.bucket, Key: 'reindex-fleet/claims/1.json', Body: text }),
      );
    await world.stack.destroy();
    expect(await named()).toEqual({});
    const [instance] = await instancesOf(world);
    expect(instance?.State?.Name).toBe('terminated');
    await expect(look('s3', 'GetBucketPolicy', { Bucket: world.bucket })).rejects.toThrow('NoSuchBucket');
  });
});
