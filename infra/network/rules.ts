import type { Input } from '@pulumi/pulumi';
import * as pulumi from '@pulumi/pulumi';
import { addressIn } from '../settings/together.ts';
import type { StackSettings } from '../settings/schema.ts';

/** One way that is open, TCP. */
export interface Rule {
  /** Which it is, for its logical name: `database-10-0-0-0-16`. */
  readonly name: string;
  readonly direction: 'in' | 'out';
  readonly description: string;
  readonly port: Input<number>;
  readonly peer: { readonly securityGroup: Input<string> } | { readonly cidr: string };
}

const HTTPS_PORT = 443;

/** Every way that is open to and from the workers. Names are asked of the VPC's own resolver, which no rule concerns. */
export function workersRules({ network, source, target, aws }: StackSettings): Rule[] {
  const { orchestrator, database, cluster, aws_endpoints: endpoints } = network;
  return eachOnce([
    ...rules('orchestrator', 'in', 'the orchestrator', aws.worker_port, orchestrator),
    ...rules('database', 'out', 'the database', portOf(source.url), withAddress(database, source.url)),
    ...rules('cluster', 'out', 'the search cluster', portOf(target.url), withAddress(cluster, target.url)),
    ...rules('aws', 'out', 'Parameter Store and Auto Scaling', HTTPS_PORT, endpoints),
  ]);
}

type Peers = StackSettings['network']['database'];

/**
 * Named after their peers: were they counted, those behind one that goes would move up, and AWS refuses a rule that is still
 * there under its old name. What is not known yet has no name of its own.
 */
function rules(
  name: string,
  direction: Rule['direction'],
  what: string,
  port: Input<number>,
  { security_groups, cidrs }: Peers,
): Rule[] {
  const peers = [
    ...security_groups.map((securityGroup) => ({ id: securityGroup, peer: { securityGroup } })),
    ...cidrs.map((cidr) => ({ id: cidr, peer: { cidr } })),
  ];
  return peers.map(({ id, peer }, index) => ({
    name: `${name}-${typeof id === 'string' ? id.replaceAll(/[./]/g, '-') : index + 1}`,
    direction,
    description: direction === 'in' ? `Calls of ${what}` : `To ${what}`,
    port,
    peer,
  }));
}

/** AWS refuses a rule that is there already, e.g. for a cluster behind 443 anywhere. */
function eachOnce(all: readonly Rule[]): Rule[] {
  const ways = new Map<unknown, Rule>();
  for (const rule of all) {
    const { direction, port, peer } = rule;
    const id = 'cidr' in peer ? peer.cidr : peer.securityGroup;
    const isKnown = typeof port === 'number' && typeof id === 'string';
    const way = isKnown ? `${direction} ${port} ${id}` : rule.name;
    if (!ways.has(way)) ways.set(way, rule);
  }
  return [...ways.values()];
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
