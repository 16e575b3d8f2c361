import {
  CreateSubnetCommand,
  CreateVpcCommand,
  DeleteSubnetCommand,
  DeleteVpcCommand,
} from '@aws-sdk/client-ec2';
import type { TestScope } from '../support/run-setup.ts';
import { REGION, type TestClients } from './aws-clients.ts';
import { takeSubnet, VPC_CIDR } from './free-subnet.ts';

export interface TestSubnet {
  readonly vpcId: string;
  readonly subnetId: string;
}

/** A VPC with one subnet. Workers of the test can listen on its addresses. It is gone when the test has ended. */
export async function makeSubnet(scope: TestScope, { ec2 }: Pick<TestClients, 'ec2'>): Promise<TestSubnet> {
  const cidr = await takeSubnet(scope);
  const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: VPC_CIDR }));
  const { VpcId: vpcId = '' } = Vpc ?? {};
  const { Subnet } = await ec2.send(
    new CreateSubnetCommand({ VpcId: vpcId, CidrBlock: cidr, AvailabilityZone: `${REGION}a` }),
  );
  const { SubnetId: subnetId = '' } = Subnet ?? {};
  scope.onTestFinished(async () => {
    await ec2.send(new DeleteSubnetCommand({ SubnetId: subnetId }));
    await ec2.send(new DeleteVpcCommand({ VpcId: vpcId }));
  });
  return { vpcId, subnetId };
}
