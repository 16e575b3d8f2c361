import type * as aws from '@pulumi/aws';
import type { Unwrap } from '@pulumi/pulumi';
import { kind, textIn } from './kind.ts';
import { members, tagList } from './names.ts';

/** What IAM has. */

export const role = kind<Unwrap<aws.iam.RoleArgs>>({
  type: 'aws:iam/role:Role',
  async make({ name, assumeRolePolicy, tags, ...others }, call) {
    const answer = await call('iam', 'CreateRole', {
      RoleName: name,
      AssumeRolePolicyDocument: assumeRolePolicy,
      ...members(others),
      Tags: tagList(tags),
    });
    return { id: name ?? '', outputs: { arn: textIn(answer, 'Role', 'Arn') } };
  },
  async remove({ name }, call) {
    await call('iam', 'DeleteRole', { RoleName: name });
  },
});

export const rolePolicy = kind<Unwrap<aws.iam.RolePolicyArgs>>({
  type: 'aws:iam/rolePolicy:RolePolicy',
  async make({ name, role: of, policy: document, ...others }, call) {
    await call('iam', 'PutRolePolicy', {
      RoleName: of,
      PolicyName: name,
      PolicyDocument: document,
      ...members(others),
    });
    return { id: `${of as string}:${name}` };
  },
  async remove({ name, role: of }, call) {
    await call('iam', 'DeleteRolePolicy', { RoleName: of, PolicyName: name });
  },
});

export const policy = kind<Unwrap<aws.iam.PolicyArgs>>({
  type: 'aws:iam/policy:Policy',
  async make({ name, policy: document, tags, ...others }, call) {
    const answer = await call('iam', 'CreatePolicy', {
      PolicyName: name,
      PolicyDocument: document,
      ...members(others),
      Tags: tagList(tags),
    });
    const arn = textIn(answer, 'Policy', 'Arn');
    return { id: arn, outputs: { arn } };
  },
  async remove(_inputs, call, id) {
    await call('iam', 'DeletePolicy', { PolicyArn: id });
  },
});

export const rolePolicyAttachment = kind<Unwrap<aws.iam.RolePolicyAttachmentArgs>>({
  type: 'aws:iam/rolePolicyAttachment:RolePolicyAttachment',
  async make({ role: of, ...others }, call) {
    await call('iam', 'AttachRolePolicy', { RoleName: of, ...members(others) });
    return { id: `${of as string}-${others.policyArn}` };
  },
  async remove({ role: of, policyArn }, call) {
    await call('iam', 'DetachRolePolicy', { RoleName: of, PolicyArn: policyArn });
  },
});

export const instanceProfile = kind<Unwrap<aws.iam.InstanceProfileArgs>>({
  type: 'aws:iam/instanceProfile:InstanceProfile',
  async make({ name, role: of, tags, ...others }, call) {
    await call('iam', 'CreateInstanceProfile', {
      InstanceProfileName: name,
      ...members(others),
      Tags: tagList(tags),
    });
    await call('iam', 'AddRoleToInstanceProfile', { InstanceProfileName: name, RoleName: of });
    return { id: name ?? '' };
  },
  async remove({ name, role: of }, call) {
    await call('iam', 'RemoveRoleFromInstanceProfile', { InstanceProfileName: name, RoleName: of });
    await call('iam', 'DeleteInstanceProfile', { InstanceProfileName: name });
  },
});
