import { isPublic } from './public-block.ts';
import type { Checked, Rule, Violation } from './rule.ts';
import { at, listAt, textsAt, UNKNOWN } from './values.ts';

/** Security groups let in only private networks and other security groups. */
export const noPublicIngress: Rule = {
  name: 'no-public-ingress',
  description: 'Security groups let in only private networks and other security groups.',
  check: (resource) =>
    openings(resource).flatMap(({ where, holder }) =>
      BLOCKS.flatMap((property) =>
        textsAt(holder, property)
          .filter(isPublic)
          .map((block) => violation(`${where}${property}`, block)),
      ),
    ),
};

/** Properties that hold one block or several, in any type of rule. */
const BLOCKS = ['cidrIpv4', 'cidrIpv6', 'cidrBlocks', 'ipv6CidrBlocks'];

function openings({ type, props }: Checked): { where: string; holder: unknown }[] {
  switch (type) {
    case 'aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule':
      return [{ where: '', holder: props }];
    case 'aws:ec2/securityGroupRule:SecurityGroupRule':
      return ['ingress', UNKNOWN].includes(at(props, 'type') as string) ? [{ where: '', holder: props }] : [];
    case 'aws:ec2/securityGroup:SecurityGroup':
    case 'aws:ec2/defaultSecurityGroup:DefaultSecurityGroup':
      return listAt(props, 'ingress').map((holder, index) => ({ where: `ingress[${index}].`, holder }));
    default:
      return [];
  }
}

function violation(where: string, block: string): Violation {
  return {
    where,
    what: `${block} lets in addresses of the internet.`,
    remedy:
      'Name a security group, or a block of private addresses (10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16).',
  };
}
