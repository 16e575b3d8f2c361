import type { StackConfiguration } from './program-run.ts';

/** A stack with everything that one can have. */
export const FULL: StackConfiguration = {
  fleet: 'books',
  definitions: 'books.yaml',
  image: 'ami-00000000000000001',
  source: { url: 'postgres://reader@db.internal:5432/shop' },
  source_password: 'secret of the database',
  target: { url: 'https://search.internal:9200', username: 'indexer' },
  target_password: 'secret of the cluster',
  instances: {
    types: ['c7g.large', 'c6g.large'],
    spot: { on_demand_base: 1, on_demand_percent: 20 },
    volume_gib: 20,
    parameters: { lease_ms: '60000' },
  },
  network: {
    vpc: 'vpc-00000000000000001',
    subnets: ['subnet-00000000000000001'],
    orchestrator: { security_groups: ['sg-00000000000000002'] },
    database: { security_groups: ['sg-00000000000000003'], let_workers_in: true },
    cluster: { cidrs: ['10.0.0.0/16'] },
  },
  access: {
    orchestrator_roles: ['airflow'],
    permissions_boundary: 'arn:aws:iam::123456789012:policy/boundary',
  },
  watch: { topics: ['arn:aws:sns:eu-central-1:123456789012:alarms'], cost_per_day: 20 },
  price: { per_hour: 0.0725 },
  tags: { team: 'search' },
};
