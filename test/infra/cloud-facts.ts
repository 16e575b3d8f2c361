import { DescribeAutoScalingGroupsCommand } from '@aws-sdk/client-auto-scaling';
import { DescribeInstancesCommand } from '@aws-sdk/client-ec2';
import { HeadObjectCommand, NotFound } from '@aws-sdk/client-s3';
import { ACCOUNT_ID, REGION, type TestClients } from '../aws/aws-clients.ts';
import type { CloudFacts } from './required-permissions.ts';

const GROUP_TAG = 'aws:autoscaling:groupName';

/** The facts of the AWS API of the tests, asked anew at each call. */
export function cloudFacts({ autoScaling, ec2, s3 }: TestClients): CloudFacts {
  const groupArn = async (name: string): Promise<string | null> => {
    const { AutoScalingGroups: [group] = [] } = await autoScaling.send(
      new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [name] }),
    );
    return group?.AutoScalingGroupARN ?? null;
  };
  return {
    place: { partition: 'aws', region: REGION, account: ACCOUNT_ID },
    groupArn,
    async groupArnOfInstance(instanceId) {
      // By filter: an id that nobody has is then no error.
      const { Reservations = [] } = await ec2.send(
        new DescribeInstancesCommand({ Filters: [{ Name: 'instance-id', Values: [instanceId] }] }),
      );
      const [instance] = Reservations.flatMap(({ Instances = [] }) => Instances);
      const group = instance?.Tags?.find(({ Key }) => Key === GROUP_TAG)?.Value;
      return group === undefined ? null : await groupArn(group);
    },
    async hasObject(Bucket, Key) {
      try {
        await s3.send(new HeadObjectCommand({ Bucket, Key }));
        return true;
      } catch (error) {
        if (error instanceof NotFound) return false;
        throw error;
      }
    },
  };
}
