import * as aws from '@pulumi/aws';
import type * as pulumi from '@pulumi/pulumi';

/** Where everything of the shop is. Yours may come from another stack (`new pulumi.StackReference(…)`), as ids. */
export interface ShopNetwork {
  readonly vpc: aws.ec2.Vpc;
  /** Without a way to the internet: workers need none. */
  readonly subnets: readonly aws.ec2.Subnet[];
  readonly databaseSubnets: aws.rds.SubnetGroup;
  /** Of whatever runs the orchestrator, e.g. Airflow's tasks. */
  readonly orchestrator: aws.ec2.SecurityGroup;
  readonly database: aws.ec2.SecurityGroup;
  readonly search: aws.ec2.SecurityGroup;
  /** Of AWS's endpoints inside the VPC. */
  readonly endpoints: aws.ec2.SecurityGroup;
  /** Lets workers call what they need. */
  letIn(name: string, workers: aws.ec2.SecurityGroup): void;
}

const POSTGRES_PORT = 5_432;
const SEARCH_PORT = 9_200;
const HTTPS_PORT = 443;

/** What workers call: their settings, and the end of their own instance. */
const SERVICES = ['ssm', 'autoscaling'];

export function shopNetwork(): ShopNetwork {
  const vpc = new aws.ec2.Vpc('shop', { cidrBlock: '10.20.0.0/16', enableDnsHostnames: true });
  const zones = aws.getAvailabilityZonesOutput({ state: 'available' });
  const subnets = [0, 1].map(
    (index) =>
      new aws.ec2.Subnet(`shop-${index + 1}`, {
        vpcId: vpc.id,
        cidrBlock: `10.20.${index}.0/24`,
        availabilityZone: zones.apply(({ names }) => names[index] ?? ''),
      }),
  );
  const subnetIds = subnets.map(({ id }) => id);
  const group = (name: string, description: string) =>
    new aws.ec2.SecurityGroup(`shop-${name}`, { vpcId: vpc.id, description });
  const database = group('database', 'Databases of the shop');
  const search = group('search', 'Search clusters of the shop');
  const endpoints = group('endpoints', 'Endpoints of AWS');
  interfaceEndpoints({ vpcId: vpc.id, subnetIds, securityGroupIds: [endpoints.id] });
  return {
    vpc,
    subnets,
    databaseSubnets: new aws.rds.SubnetGroup('shop', { subnetIds }),
    orchestrator: group('orchestrator', 'What runs the orchestrator'),
    database,
    search,
    endpoints,
    letIn: (name, workers) => {
      letInAt(`${name}-to-database`, database, POSTGRES_PORT, workers);
      letInAt(`${name}-to-search`, search, SEARCH_PORT, workers);
      letInAt(`${name}-to-endpoints`, endpoints, HTTPS_PORT, workers);
    },
  };
}

interface EndpointPlace {
  readonly vpcId: pulumi.Input<string>;
  readonly subnetIds: pulumi.Input<string>[];
  readonly securityGroupIds: pulumi.Input<string>[];
}

function interfaceEndpoints(place: EndpointPlace): void {
  const region = aws.getRegionOutput().region;
  for (const service of SERVICES)
    new aws.ec2.VpcEndpoint(`shop-${service}`, {
      ...place,
      serviceName: region.apply((name) => `com.amazonaws.${name}.${service}`),
      vpcEndpointType: 'Interface',
      privateDnsEnabled: true,
    });
}

function letInAt(name: string, to: aws.ec2.SecurityGroup, port: number, from: aws.ec2.SecurityGroup): void {
  new aws.vpc.SecurityGroupIngressRule(name, {
    securityGroupId: to.id,
    referencedSecurityGroupId: from.id,
    ipProtocol: 'tcp',
    fromPort: port,
    toPort: port,
  });
}
