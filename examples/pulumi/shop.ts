import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { type Prepared, ReindexFleet, type StackInput } from 'reindex-fleet/infra';
import { shopNetwork, type ShopNetwork } from './network.ts';

interface Environment {
  readonly name: 'staging' | 'production';
  readonly instanceClass: string;
  readonly workers: number;
}

const ENVIRONMENTS: readonly Environment[] = [
  { name: 'staging', instanceClass: 'db.t4g.medium', workers: 2 },
  { name: 'production', instanceClass: 'db.r8g.xlarge', workers: 8 },
];

/**
 * Makes a network, and in it staging and production. Each of these has a database and a fleet that rebuilds its search index.
 * Returns the settings of an orchestrator, by environment.
 *
 * @param prepare `prepareFleet`, which finds out where the fleet is, and makes sure that no run has it
 */
export async function shop(
  prepare: (settings: StackInput) => Promise<Prepared>,
): Promise<Record<string, pulumi.Output<unknown>>> {
  const network = shopNetwork();
  const alarms = new aws.sns.Topic('reindex-alarms');
  const settings: Record<string, pulumi.Output<unknown>> = {};
  for (const environment of ENVIRONMENTS) {
    const given = fleetSettings(environment, network, alarms);
    // One after the other. Each takes its fleet's lock before it changes the fleet.
    const fleet = new ReindexFleet(given.fleet, { ...given, ...(await prepare(given)) });
    network.letIn(given.fleet, fleet.workersSecurityGroup);
    settings[environment.name] = fleet.settings;
  }
  return settings;
}

function fleetSettings(
  { name, instanceClass, workers }: Environment,
  network: ShopNetwork,
  alarms: aws.sns.Topic,
): StackInput & { readonly fleet: string } {
  const config = new pulumi.Config();
  const { search_url: searchUrl } = config.requireObject<{ search_url: string }>(name);
  const database = new aws.rds.Instance(`shop-${name}`, {
    engine: 'postgres',
    instanceClass,
    allocatedStorage: 100,
    storageEncrypted: true,
    dbName: 'shop',
    username: 'shop',
    manageMasterUserPassword: true,
    dbSubnetGroupName: network.databaseSubnets.name,
    vpcSecurityGroupIds: [network.database.id],
    deletionProtection: name === 'production',
    finalSnapshotIdentifier: `shop-${name}-last`,
  });
  return {
    fleet: `shop-${name}`,
    definitions: 'books.yaml',
    image: config.require('image'),
    // A user that may only read. The owner of the database makes it.
    source: { url: pulumi.interpolate`postgres://reader@${database.address}:5432/shop?sslmode=require` },
    source_password: config.requireSecret(`${name}_password`),
    target: { url: searchUrl },
    workers: { count: workers },
    network: {
      vpc: network.vpc.id,
      subnets: network.subnets.map(({ id }) => id),
      orchestrator: { security_groups: [network.orchestrator.id] },
      database: { security_groups: [network.database.id], let_workers_in: true },
      cluster: { security_groups: [network.search.id], let_workers_in: true },
      aws_endpoints: { security_groups: [network.endpoints.id] },
    },
    watch: { topics: [alarms.arn] },
    protect: name === 'production',
    tags: { environment: name },
  };
}
