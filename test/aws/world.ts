import { CreateAutoScalingGroupCommand, DeleteAutoScalingGroupCommand } from '@aws-sdk/client-auto-scaling';
import {
  CreateLaunchTemplateCommand,
  DeleteLaunchTemplateCommand,
  type RequestLaunchTemplateData,
} from '@aws-sdk/client-ec2';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListObjectsV2Command,
} from '@aws-sdk/client-s3';
import { DeleteParametersCommand, PutParameterCommand } from '@aws-sdk/client-ssm';
import type { TestScope } from '../support/run-setup.ts';
import { uniqueName } from '../support/search-calls.ts';
import { awsEnvironment, REGION, type TestClients, testClients } from './aws-clients.ts';
import { moveImage, registerImage } from './image.ts';
import { makeSubnet } from './network.ts';
import { sharedAwsUrl } from './shared-aws.ts';

export interface WorldOptions {
  /** Of the group. */
  readonly maximum: number;
  readonly minimum?: number;
  readonly spot?: boolean;
  /** Whose group it is, as its tag says; by default it has none. */
  readonly fleet?: string;
  /** By setting's name (`database_url`), as the worker reads them from Parameter Store; the token is there already. */
  readonly workerSettings?: Readonly<Record<string, string>>;
  /** Of the launch template, over what is usual. */
  readonly template?: RequestLaunchTemplateData;
  /** An AWS API of its own in place of the one that all tests share. */
  readonly awsUrl?: string;
}

/** Everything that a deployed fleet has in AWS, for one test. All of it is gone when the test has ended. */
export interface AwsWorld {
  readonly awsUrl: string;
  readonly region: string;
  readonly clients: TestClients;
  /** Its desired capacity is its minimum. */
  readonly group: string;
  readonly templateId: string;
  /** With data type `aws:ec2:image`. */
  readonly imageParameter: string;
  /** What the parameter held at first. */
  readonly imageId: string;
  /** What the names of the workers' parameters begin with, for `REINDEX_WORKER_PARAMETERS`. */
  readonly workerParameters: string;
  /** A SecureString. */
  readonly tokenParameter: string;
  readonly token: string;
  readonly bucket: string;
  /** For a process that calls this API directly. */
  readonly environment: Readonly<Record<string, string>>;
  /** Registers another image and lets the parameter name it; returns its id. */
  moveImage(): Promise<string>;
}

const TEMPLATE = {
  InstanceType: 'c7g.large',
  InstanceInitiatedShutdownBehavior: 'terminate',
  IamInstanceProfile: { Name: 'workers' },
  MetadataOptions: { HttpTokens: 'required', InstanceMetadataTags: 'enabled' },
} as const satisfies RequestLaunchTemplateData;

export async function makeWorld(scope: TestScope, options: WorldOptions): Promise<AwsWorld> {
  const awsUrl = options.awsUrl ?? sharedAwsUrl();
  const clients = testClients(awsUrl);
  scope.onTestFinished(async () => clients.destroy());
  const name = uniqueName('fleet');
  const making: Making = { scope, clients, name };

  const imageId = await registerImage(clients, name);
  const { imageParameter, workerParameters, token } = await putParameters(making, imageId, options);
  const templateId = await makeTemplate(making, imageParameter, options);
  const { subnetId } = await makeSubnet(scope, clients);
  await makeGroup(making, { templateId, subnetId, options });
  await makeBucket(making);
  return {
    awsUrl,
    region: REGION,
    clients,
    group: name,
    templateId,
    imageParameter,
    imageId,
    workerParameters,
    tokenParameter: `${workerParameters}/token`,
    token,
    bucket: name,
    environment: awsEnvironment(awsUrl),
    moveImage: () => moveImage(clients, imageParameter),
  };
}

interface Making {
  readonly scope: TestScope;
  readonly clients: TestClients;
  /** Of group, template and bucket alike. */
  readonly name: string;
}

async function putParameters(
  { scope, clients: { ssm }, name }: Making,
  imageId: string,
  { workerSettings = {} }: WorldOptions,
): Promise<{ imageParameter: string; workerParameters: string; token: string }> {
  const imageParameter = `/reindex-fleet/${name}/image`;
  const workerParameters = `/reindex-fleet/${name}/worker`;
  const token = `token-of-${name}`;
  const settings = Object.entries({ ...workerSettings, token });
  const commands = [
    { Name: imageParameter, Value: imageId, Type: 'String', DataType: 'aws:ec2:image' } as const,
    ...settings.map(
      ([setting, Value]) =>
        ({ Name: `${workerParameters}/${setting}`, Value, Type: 'SecureString' }) as const,
    ),
  ];
  for (const command of commands) await ssm.send(new PutParameterCommand(command));
  scope.onTestFinished(async () => {
    await ssm.send(new DeleteParametersCommand({ Names: commands.map(({ Name }) => Name) }));
  });
  return { imageParameter, workerParameters, token };
}

async function makeTemplate(
  { scope, clients: { ec2 }, name }: Making,
  imageParameter: string,
  { spot = false, template }: WorldOptions,
): Promise<string> {
  const { LaunchTemplate } = await ec2.send(
    new CreateLaunchTemplateCommand({
      LaunchTemplateName: name,
      LaunchTemplateData: {
        ...TEMPLATE,
        ImageId: `resolve:ssm:${imageParameter}`,
        ...(spot && { InstanceMarketOptions: { MarketType: 'spot' } }),
        ...template,
      },
    }),
  );
  const { LaunchTemplateId = '' } = LaunchTemplate ?? {};
  scope.onTestFinished(async () => {
    await ec2.send(new DeleteLaunchTemplateCommand({ LaunchTemplateId }));
  });
  return LaunchTemplateId;
}

interface GroupParts {
  readonly templateId: string;
  readonly subnetId: string;
  readonly options: WorldOptions;
}

/** New instances are protected from scale-in, as the design wants it. */
async function makeGroup(
  { scope, clients: { autoScaling }, name }: Making,
  { templateId, subnetId, options: { minimum = 0, maximum, fleet } }: GroupParts,
): Promise<void> {
  await autoScaling.send(
    new CreateAutoScalingGroupCommand({
      AutoScalingGroupName: name,
      MinSize: minimum,
      MaxSize: maximum,
      DesiredCapacity: minimum,
      LaunchTemplate: { LaunchTemplateId: templateId, Version: '$Latest' },
      VPCZoneIdentifier: subnetId,
      NewInstancesProtectedFromScaleIn: true,
      ...(fleet !== undefined && {
        Tags: [{ Key: 'reindex-fleet:fleet', Value: fleet, PropagateAtLaunch: true }],
      }),
    }),
  );
  scope.onTestFinished(async () => {
    await autoScaling.send(
      new DeleteAutoScalingGroupCommand({ AutoScalingGroupName: name, ForceDelete: true }),
    );
  });
}

async function makeBucket({ scope, clients: { s3 }, name: Bucket }: Making): Promise<void> {
  await s3.send(
    new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: REGION } }),
  );
  scope.onTestFinished(async () => {
    for (;;) {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
      if (Contents.length === 0) break;
      for (const { Key } of Contents) await s3.send(new DeleteObjectCommand({ Bucket, Key }));
    }
    await s3.send(new DeleteBucketCommand({ Bucket }));
  });
}
