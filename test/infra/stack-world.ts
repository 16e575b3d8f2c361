import { GetParameterCommand } from '@aws-sdk/client-ssm';
import { awsEnvironment, REGION, testClients } from '../aws/aws-clients.ts';
import { moveImage, registerImage } from '../aws/image.ts';
import { makeSubnet } from '../aws/network.ts';
import { sharedAwsUrl } from '../aws/shared-aws.ts';
import type { AwsWorld } from '../aws/world.ts';
import { type SettingsSections, SEARCH_URL, type TestScope } from '../support/run-setup.ts';
import { makeStack, type MadeStack } from './made-stack.ts';
import type { StackConfiguration } from './program-run.ts';

export interface StackWorldOptions {
  readonly fleet: string;
  readonly databaseUrl: string;
  /** Where the image has its definition. */
  readonly definitionFile: string;
  /** By section, over those that suit a test. */
  readonly settings?: SettingsSections;
}

/** A fleet that a stack has made, in a network of the test's own. */
export interface StackWorld extends AwsWorld {
  readonly stack: MadeStack;
  /** The orchestrator's whole settings, as the stack gives them out. */
  readonly settings: object;
}

export async function makeStackWorld(scope: TestScope, options: StackWorldOptions): Promise<StackWorld> {
  const awsUrl = sharedAwsUrl();
  const clients = testClients(awsUrl);
  scope.onTestFinished(async () => clients.destroy());
  const { vpcId, subnetId } = await makeSubnet(scope, clients);
  const imageId = await registerImage(clients, options.fleet);
  const network = { vpc: vpcId, subnets: [subnetId], orchestrator: { cidrs: ['127.0.0.0/8'] } };
  const stack = await makeStack(scope, awsUrl, configurationOf(options, { image: imageId, network }));

  const settings = stack.outputs.settings as {
    readonly auto_scaling: Readonly<Record<string, string>>;
    readonly journal: { readonly url: string };
  };
  const { group = '', image_parameter = '', token_parameter = '' } = settings.auto_scaling;
  const { Parameter } = await clients.ssm.send(
    new GetParameterCommand({ Name: token_parameter, WithDecryption: true }),
  );
  return {
    awsUrl,
    region: REGION,
    clients,
    group,
    templateId: idOf(stack, 'aws:ec2/launchTemplate:LaunchTemplate'),
    imageParameter: image_parameter,
    imageId,
    workerParameters: token_parameter.replace(/\/token$/, ''),
    tokenParameter: token_parameter,
    token: Parameter?.Value ?? '',
    bucket: new URL(settings.journal.url).host,
    environment: awsEnvironment(awsUrl),
    moveImage: () => moveImage(clients, image_parameter),
    stack,
    settings,
  };
}

function configurationOf(
  { fleet, databaseUrl, definitionFile, settings = {} }: StackWorldOptions,
  place: { readonly image: string; readonly network: object },
): StackConfiguration {
  const source = new URL(databaseUrl);
  const password = decodeURIComponent(source.password);
  source.password = '';
  const { instances, ...others } = settings;
  return {
    fleet,
    // Relative to the settings file, which lies beside it.
    definitions: definitionFile.slice(definitionFile.lastIndexOf('/') + 1),
    ...place,
    source: { url: source.href },
    source_password: password,
    target: { url: SEARCH_URL },
    ...others,
    instances: { definitions: definitionFile, maximum: 4, ...instances },
  };
}

function idOf({ registrations, states }: MadeStack, type: string): string {
  const urn = registrations.find((registration) => registration.type === type)?.urn ?? '';
  return states.get(urn)?.id ?? '';
}
