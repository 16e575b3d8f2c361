import { RegisterImageCommand } from '@aws-sdk/client-ec2';
import { PutParameterCommand } from '@aws-sdk/client-ssm';
import { uniqueName } from '../support/search-calls.ts';
import type { TestClients } from './aws-clients.ts';

/** An image of workers, as far as AWS has to know of one; returns its id. */
export async function registerImage({ ec2 }: Pick<TestClients, 'ec2'>, name: string): Promise<string> {
  const { ImageId = '' } = await ec2.send(
    new RegisterImageCommand({
      Name: uniqueName(name),
      Architecture: 'arm64',
      VirtualizationType: 'hvm',
      BootMode: 'uefi',
      EnaSupport: true,
      ImdsSupport: 'v2.0',
      RootDeviceName: '/dev/xvda',
    }),
  );
  return ImageId;
}

/** Registers another image and lets the parameter name it; returns its id. */
export async function moveImage(clients: TestClients, parameter: string): Promise<string> {
  const moved = await registerImage(clients, 'moved');
  await clients.ssm.send(
    new PutParameterCommand({ Name: parameter, Value: moved, Type: 'String', Overwrite: true }),
  );
  return moved;
}
