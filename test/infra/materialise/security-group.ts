import type * as aws from '@pulumi/aws';
import type { Unwrap } from '@pulumi/pulumi';
import { type AnyKind, kind, textIn } from './kind.ts';
import { members, tagsAtBirth } from './names.ts';

export const securityGroup = kind<Unwrap<aws.ec2.SecurityGroupArgs>>({
  type: 'aws:ec2/securityGroup:SecurityGroup',
  async make({ name, tags, ...others }, call) {
    const answer = await call('ec2', 'CreateSecurityGroup', {
      GroupName: name,
      ...members(others),
      ...tagsAtBirth('security-group', tags),
    });
    const id = textIn(answer, 'GroupId');
    // EC2 lets a new group out everywhere; the provider takes that rule away.
    await call('ec2', 'RevokeSecurityGroupEgress', {
      GroupId: id,
      IpPermissions: [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }],
    });
    return { id };
  },
  async remove(_inputs, call, id) {
    await call('ec2', 'DeleteSecurityGroup', { GroupId: id });
  },
});

export const ingressRule = rule('Ingress');
export const egressRule = rule('Egress');

function rule(direction: 'Ingress' | 'Egress'): AnyKind {
  return kind<Unwrap<aws.vpc.SecurityGroupIngressRuleArgs>>({
    type: `aws:vpc/securityGroup${direction}Rule:SecurityGroup${direction}Rule`,
    async make(inputs, call) {
      const { securityGroupId, tags, description, cidrIpv4, referencedSecurityGroupId, ...ports } = inputs;
      const answer = await call('ec2', `AuthorizeSecurityGroup${direction}`, {
        GroupId: securityGroupId,
        IpPermissions: [
          {
            ...members(ports),
            ...(cidrIpv4 !== undefined && { IpRanges: [{ CidrIp: cidrIpv4, Description: description }] }),
            ...(referencedSecurityGroupId !== undefined && {
              UserIdGroupPairs: [{ GroupId: referencedSecurityGroupId, Description: description }],
            }),
          },
        ],
        ...tagsAtBirth('security-group-rule', tags),
      });
      return { id: textIn(answer, 'SecurityGroupRules', 0, 'SecurityGroupRuleId') };
    },
    async remove({ securityGroupId }, call, id) {
      await call('ec2', `RevokeSecurityGroup${direction}`, {
        GroupId: securityGroupId,
        SecurityGroupRuleIds: [id],
      });
    },
  });
}
