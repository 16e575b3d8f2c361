import type { Input } from '@pulumi/pulumi';
import * as pulumi from '@pulumi/pulumi';
import { addressIn } from '../settings/together.ts';
import type { StackSettings } from '../settings/schema.ts';

/** One open connection, TCP. */
export interface Rule {
  /** Part of its logical name: `out-5432-10-0-0-0-16`. While its port is not known: `database-10-0-0-0-16`. */
  readonly name: string;
  readonly direction: 'in' | 'out';
  readonly description: string;
  readonly port: Input<number>;
  readonly peer: { readonly securityGroup: Input<string> } | { readonly cidr: string };
}

/** A server's security group that is to let the workers in. */
export interface Door {
  /** For its logical name. */
  readonly name: string;
  readonly securityGroup: Input<string>;
  readonly port: Input<number>;
}

/** What rules are for. */
interface Way {
  readonly name: string;
  readonly direction: Rule['direction'];
  /** As a clause. */
  readonly purpose: string;
}

const HTTPS_PORT = 443;
const FROM_ORCHESTRATOR: Way = { name: 'orchestrator', direction: 'in', purpose: 'the orchestrator' };
const TO_DATABASE: Way = { name: 'database', direction: 'out', purpose: 'the database' };
const TO_CLUSTER: Way = { name: 'cluster', direction: 'out', purpose: 'the search cluster' };
const TO_AWS: Way = { name: 'aws', direction: 'out', purpose: 'Parameter Store and Auto Scaling' };

/** Every connection to and from the workers. They resolve names at the VPC's own resolver, which needs no rule. */
export function workersRules({ network, source, target, auto_scaling }: StackSettings): Rule[] {
  const { orchestrator, database, cluster, aws_endpoints: endpoints } = network;
  return eachOnce([
    ...rules(FROM_ORCHESTRATOR, auto_scaling.worker_port, orchestrator),
    ...rules(TO_DATABASE, portOf(source.url), withAddress(database, source.url)),
    ...rules(TO_CLUSTER, portOf(target.url), withAddress(cluster, target.url)),
    ...rules(TO_AWS, HTTPS_PORT, endpoints),
  ]);
}

/** The rules that `let_workers_in` asks for, in the groups of database and cluster. */
export function doorsToServers({ network, source, target }: StackSettings): Door[] {
  const { database, cluster } = network;
  const doors = [
    ...rules(TO_DATABASE, portOf(source.url), groupsToOpen(database)),
    ...rules(TO_CLUSTER, portOf(target.url), groupsToOpen(cluster)),
  ];
  return eachOnce(doors).flatMap(({ name, port, peer }) =>
    'securityGroup' in peer ? [{ name: `let-in-${name}`, port, securityGroup: peer.securityGroup }] : [],
  );
}

function groupsToOpen({ security_groups, let_workers_in }: StackSettings['network']['database']): Peers {
  return { security_groups: let_workers_in ? security_groups : [], cidrs: [] };
}

type Peers = StackSettings['network']['orchestrator'];

/**
 * Names rules after what they open, with no purpose and no number in the name. AWS refuses a rule that is still there under
 * another name. With numbers this would happen when an earlier peer in the list is removed. With purposes it would happen when
 * cluster and AWS share one rule and the cluster moves. A peer that is not known yet gets a number.
 */
function rules(
  { name, direction, purpose }: Way,
  port: Input<number>,
  { security_groups, cidrs }: Peers,
): Rule[] {
  const peers = [
    ...security_groups.map((securityGroup) => ({ id: securityGroup, peer: { securityGroup } })),
    ...cidrs.map((cidr) => ({ id: cidr, peer: { cidr } })),
  ];
  const what = typeof port === 'number' ? `${direction}-${port}` : name;
  return peers.map(({ id, peer }, index) => ({
    name: typeof id === 'string' ? `${what}-${id.replaceAll(/[./]/g, '-')}` : `${name}-${index + 1}`,
    direction,
    description: direction === 'in' ? `Calls of ${purpose}` : `To ${purpose}`,
    port,
    peer,
  }));
}

/** AWS refuses a second rule that is the same, e.g. for a cluster at port 443 of any address. */
function eachOnce(all: readonly Rule[]): Rule[] {
  const byName = new Map<string, Rule>();
  for (const rule of all) if (!byName.has(rule.name)) byName.set(rule.name, rule);
  return [...byName.values()];
}

function withAddress(peers: Peers, url: Input<string>): Peers {
  const address = peers.security_groups.length + peers.cidrs.length === 0 ? addressIn(url) : null;
  return address === null ? peers : { security_groups: [], cidrs: [address] };
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  'postgres:': 5_432,
  'postgresql:': 5_432,
  'http:': 80,
  'https:': HTTPS_PORT,
};

function portOf(url: Input<string>): Input<number> {
  const of = (text: string): number => {
    const { port, protocol } = new URL(text);
    return port === '' ? (DEFAULT_PORTS[protocol] ?? HTTPS_PORT) : Number(port);
  };
  return typeof url === 'string' ? of(url) : pulumi.output(url).apply(of);
}
