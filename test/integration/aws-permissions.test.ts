import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { messageOf } from '../../orchestrator/errors.ts';
import { type ApiProxy, startApiProxy } from '../aws/api-proxy.ts';
import { awsEnvironment } from '../aws/aws-clients.ts';
import { type Credentials, startEnforcedAws } from '../aws/enforced-aws.ts';
import { checkWorld } from '../aws/group-fleet.ts';
import { type AwsWorld, makeWorld } from '../aws/world.ts';

/** The check of a group by users of whom each lacks a permission, on an AWS API that enforces policies. */

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

describe.skipIf(inject('awsUrl') === null)('a policy that lacks one call', () => {
  test('is told which, and on what; the group is not touched', { timeout: 120_000 }, async () => {
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
        new RegExp(`^whether workers may be terminated could not be seen beforehand: ${terminate} on `),
      ),
    );
    expect((await checkAs(world, proxy, everything)).faults).toEqual([]);
    const unknown = await checkAs(world, proxy, { accessKeyId: 'AKIANOBODY', secretAccessKey: 'none' });
    expect(unknown.faults).toEqual([
      expect.stringMatching(
        /^sts:GetCallerIdentity on region eu-central-1: .*AWS does not know these credentials/,
      ),
    ]);
    expect(new Set(changes(proxy))).toEqual(new Set(['0', 'i-00000000000000000']));
  });
});
