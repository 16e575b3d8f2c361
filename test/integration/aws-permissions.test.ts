import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { messageOf } from '../../orchestrator/errors.ts';
import { type ApiProxy, startApiProxy } from '../aws/api-proxy.ts';
import { ACCOUNT_ID, awsEnvironment } from '../aws/aws-clients.ts';
import { type AwsError, denialOf } from '../aws/aws-fault-answer.ts';
import { check, expectUntouched, faultsOf, makeChecked } from '../aws/checked-world.ts';
import { type Credentials, startEnforcedAws } from '../aws/enforced-aws.ts';
import { checkWorld } from '../aws/group-fleet.ts';
import { type AwsWorld, makeWorld } from '../aws/world.ts';

/** The check of a group with credentials that do not suffice. */

const scope = { onTestFinished };

interface Checked {
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
}

async function checkAs(world: AwsWorld, proxy: ApiProxy, credentials: Credentials): Promise<Checked> {
  const environment = {
    ...awsEnvironment(proxy.url),
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
  try {
    const { warnings } = await checkWorld(scope, { ...world, environment });
    return { faults: [], warnings };
  } catch (error) {
    return { faults: messageOf(error).split('\n'), warnings: [] };
  }
}

function changes({ calls }: ApiProxy): string[] {
  return calls
    .filter(({ action }) => !/^(Describe|Get)/.test(action))
    .map(({ parameters }) => parameters['DesiredCapacity'] ?? parameters['InstanceId'] ?? 'another change');
}

describe.skipIf(inject('awsUrl') === null)('an IAM policy that lacks one permission', () => {
  test('is refused with that permission and its resource, and nothing changes', {
    timeout: 120_000,
  }, async () => {
    const aws = await startEnforcedAws(scope);
    const world = await makeWorld(scope, { maximum: 4, awsUrl: aws.url });
    const proxy = await startApiProxy(scope, aws.url);
    const { group, templateId, imageId, imageParameter, tokenParameter } = world;
    const resources = new Map([
      ['autoscaling:DescribeAutoScalingGroups', [`the group ${group}`]],
      ['autoscaling:DescribeScalingActivities', [`the group ${group}`]],
      ['autoscaling:DescribeInstanceRefreshes', [`the group ${group}`]],
      ['autoscaling:SetDesiredCapacity', [`the group ${group}`]],
      ['ec2:DescribeInstances', [`instances of the group ${group}`]],
      ['ec2:DescribeLaunchTemplateVersions', [`the launch template ${templateId}`]],
      ['ec2:DescribeImages', [`the image ${imageId}`]],
      ['ssm:GetParameter', [`the parameter ${imageParameter}`, `the parameter ${tokenParameter}`]],
    ]);
    const users = await Promise.all(
      [...resources.keys()].map(async (action) => [action, await aws.credentialsWithout(action)] as const),
    );
    const terminate = 'autoscaling:TerminateInstanceInAutoScalingGroup';
    const noTerminator = await aws.credentialsWithout(terminate);
    const everything = await aws.credentialsWithout();
    await aws.enforce();

    for (const [action, credentials] of users) {
      const { faults } = await checkAs(world, proxy, credentials);
      expect(faults).toEqual(
        (resources.get(action) ?? []).map((resource) =>
          expect.stringMatching(
            new RegExp(
              `^${action} on ${resource}: .*\\(the permission ${action} is missing: allow it for ${resource}\\)$`,
            ),
          ),
        ),
      );
    }
    // The denial does not name the group: whether it is one for the group's own instances cannot be told.
    const undecided = await checkAs(world, proxy, noTerminator);
    expect(undecided.faults).toEqual([]);
    expect(undecided.warnings).toContainEqual(
      expect.stringMatching(
        new RegExp(`^the check cannot tell whether the run may terminate workers: ${terminate} on `),
      ),
    );
    expect((await checkAs(world, proxy, everything)).faults).toEqual([]);
    const unknown = await checkAs(world, proxy, { accessKeyId: 'AKIANOBODY', secretAccessKey: 'none' });
    expect(unknown.faults).toEqual([
      expect.stringMatching(
        /^sts:GetCallerIdentity on this process’s credentials in region eu-central-1: .*AWS does not know these credentials/,
      ),
    ]);
    expect(new Set(changes(proxy))).toEqual(new Set(['0', 'i-00000000000000000']));
  });
});

/** Every call of a check. */
const ACTIONS = [
  'sts:GetCallerIdentity',
  'autoscaling:DescribeAutoScalingGroups',
  'autoscaling:DescribeScalingActivities',
  'ec2:DescribeInstances',
  'ssm:GetParameter',
];

function nameOf(action: string): string {
  return action.slice(action.indexOf(':') + 1);
}

describe.skipIf(inject('awsUrl') === null)('the check of unusable AWS credentials', () => {
  test('names expired credentials once, whatever else cannot be seen because of them', async () => {
    const world = await makeChecked(scope);
    const message = 'The security token included in the request is expired';
    for (const action of ACTIONS)
      world.proxy.fail({ action: nameOf(action), with: { status: 403, code: 'ExpiredToken', message } });
    expect(await faultsOf(world)).toEqual([
      `sts:GetCallerIdentity on this process’s credentials in region eu-central-1: ExpiredToken: ${message} (the AWS credentials have expired: renew them)`,
    ]);
  });

  test('names the missing permission to terminate instances of the group', async () => {
    const world = await makeChecked(scope);
    const action = 'autoscaling:TerminateInstanceInAutoScalingGroup';
    world.proxy.fail({ action: nameOf(action), with: denied(action, arnOf(world)) });
    const resource = `the instance i-00000000000000000 of the group ${world.group}`;
    const [fault, ...others] = await faultsOf(world);
    expect(fault).toContain(`${action} on ${resource}: AccessDenied: User: `);
    expect(fault).toContain(`(the permission ${action} is missing: allow it for ${resource})`);
    expect(others).toEqual([]);
  });

  test('names the missing permission to decrypt, not one to read', async () => {
    const world = await makeChecked(scope);
    const key = `arn:aws:kms:eu-central-1:${ACCOUNT_ID}:key/0f1e2d3c`;
    world.proxy.fail({
      action: 'GetParameter',
      matching: ({ parameters }) => parameters['Name'] === world.tokenParameter,
      with: denialOf('ssm', { caller: 'nobody', action: 'kms:Decrypt', resource: key }),
    });
    expect(await faultsOf(world)).toEqual([
      expect.stringContaining(
        `(the permission kms:Decrypt is missing: allow it for the parameter ${world.tokenParameter})`,
      ),
    ]);
  });

  test('warns when it cannot be seen whether instances may be terminated', async () => {
    const world = await makeChecked(scope);
    const action = 'autoscaling:TerminateInstanceInAutoScalingGroup';
    world.proxy.fail({ action: nameOf(action), with: denied(action) });
    expect((await check(world)).warnings).toContainEqual(
      expect.stringContaining(`the check cannot tell whether the run may terminate workers: ${action} on `),
    );
    await expectUntouched(world);
  });
});

function denied(action: string, resource = '*'): AwsError {
  const caller = `arn:aws:sts::${ACCOUNT_ID}:assumed-role/runner/session`;
  return denialOf(action.slice(0, action.indexOf(':')), { caller, action, resource });
}

function arnOf({ group }: AwsWorld): string {
  return `arn:aws:autoscaling:eu-central-1:${ACCOUNT_ID}:autoScalingGroup:c6baca75-c880-41cd-b1c3-0b1d2f3a4e5f:autoScalingGroupName/${group}`;
}
