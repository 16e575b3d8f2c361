import type { Input } from '@pulumi/pulumi';
import * as pulumi from '@pulumi/pulumi';
import { addressIn } from '../settings/together.ts';
import type { StackSettings } from '../settings/schema.ts';

/** One way that is open, TCP. */
export interface Rule {
  /** Which it is, for its logical name: `database-1`. */
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
  return [
    ...rules('orchestrator', 'in', 'the orchestrator', aws.worker_port, orchestrator),
    ...rules('database', 'out', 'the database', portOf(source.url), withAddress(database, source.url)),
    ...rules('cluster', 'out', 'the search cluster', portOf(target.url), withAddress(cluster, target.url)),
    ...rules('aws', 'out', 'Parameter Store and Auto Scaling', HTTPS_PORT, endpoints),
  ];
}

type Peers = StackSettings['network']['database'];

function rules(
  name: string,
  direction: Rule['direction'],
  what: string,
  port: Input<number>,
  { security_groups, cidrs }: Peers,
): Rule[] {
  const peers = [
    ...security_groups.map((securityGroup) => ({ securityGroup })),
    ...cidrs.map((cidr) => ({ cidr })),
  ];
  return peers.map((peer, index) => ({
    name: `${name}-${index + 1}`,
    direction,
    description: direction === 'in' ? `Calls of ${what}` : `To ${what}`,
    port,
    peer,
  }));
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
