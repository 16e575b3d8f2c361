import * as aws from '@pulumi/aws';
import type * as pulumi from '@pulumi/pulumi';

/** The network of the shop. Yours may come from another stack (`new pulumi.StackReference(…)`), as ids. */
export interface ShopNetwork {
  readonly vpc: aws.ec2.Vpc;
  /** They have no way to the internet, because workers need none. */
  readonly subnets: readonly aws.ec2.Subnet[];
  readonly databaseSubnets: aws.rds.SubnetGroup;
  /** The group of what runs the orchestrator, e.g. Airflow's tasks. */
  readonly orchestrator: aws.ec2.SecurityGroup;
  readonly database: aws.ec2.SecurityGroup;
  readonly search: aws.ec2.SecurityGroup;
  /** The group of AWS's endpoints inside the VPC. */
  readonly endpoints: aws.ec2.SecurityGroup;
  /** Lets a fleet's workers call AWS. The fleet itself opens database and cluster (`let_workers_in`). */
  letIn(name: string, workers: aws.ec2.SecurityGroup): void;
}

const POSTGRES_PORT = 5_432;
const SEARCH_PORT = 9_200;
const HTTPS_PORT = 443;

/** Services of AWS. Workers call the first for settings and for their instance's end. An orchestrator calls all of them. */
const SERVICES = ['ssm', 'autoscaling', 'ec2', 'sts'];

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
  const orchestrator = group('orchestrator', 'What runs the orchestrator');
  new aws.vpc.SecurityGroupEgressRule('shop-orchestrator', {
    securityGroupId: orchestrator.id,
    ipProtocol: '-1',
    cidrIpv4: '0.0.0.0/0',
  });
  letInAt('orchestrator-to-database', database, POSTGRES_PORT, orchestrator);
  letInAt('orchestrator-to-search', search, SEARCH_PORT, orchestrator);
  letInAt('orchestrator-to-endpoints', endpoints, HTTPS_PORT, orchestrator);
  endpointsIn(vpc, { subnetIds, securityGroupIds: [endpoints.id] });
  return {
    vpc,
    subnets,
    databaseSubnets: new aws.rds.SubnetGroup('shop', { subnetIds }),
    orchestrator,
    database,
    search,
    endpoints,
    letIn: (name, workers) => letInAt(`${name}-to-endpoints`, endpoints, HTTPS_PORT, workers),
  };
}

interface EndpointPlace {
  readonly subnetIds: pulumi.Input<string>[];
  readonly securityGroupIds: pulumi.Input<string>[];
}

/** Endpoints of AWS inside the VPC. S3, which has the journal, has a gateway endpoint. */
function endpointsIn({ id: vpcId, mainRouteTableId }: aws.ec2.Vpc, place: EndpointPlace): void {
  const region = aws.getRegionOutput().region;
  const named = (service: string) => region.apply((name) => `com.amazonaws.${name}.${service}`);
  new aws.ec2.VpcEndpoint('shop-s3', { vpcId, serviceName: named('s3'), routeTableIds: [mainRouteTableId] });
  for (const service of SERVICES)
    new aws.ec2.VpcEndpoint(`shop-${service}`, {
      ...place,
      vpcId,
      serviceName: named(service),
      vpcEndpointType: 'Interface',
      privateDnsEnabled: true,
    });
}

function letInAt(name: string, to: aws.ec2.SecurityGroup, port: number, from: aws.ec2.SecurityGroup): void {
  new aws.vpc.SecurityGroupIngressRule(
    name,
    {
      securityGroupId: to.id,
      referencedSecurityGroupId: from.id,
      ipProtocol: 'tcp',
      fromPort: port,
      toPort: port,
    },
    // AWS does not delete a security group that a rule names. So a rule is replaced together with its groups.
    { replaceOnChanges: ['securityGroupId', 'referencedSecurityGroupId'] },
  );
}
