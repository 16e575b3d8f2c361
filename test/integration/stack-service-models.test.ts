import * as fc from 'fast-check';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { type AwsCalls, openAwsCalls } from '../infra/aws-calls.ts';
import { FULL } from '../infra/full-configuration.ts';
import { awsProvider } from '../infra/materialise/aws-provider.ts';
import { unmade } from '../infra/materialise/unmade.ts';
import { runProgram, type StackConfiguration } from '../infra/program-run.ts';
import type { Provider } from '../infra/provider.ts';
import { without } from '../infra/without.ts';
import { configurations } from '../infra/stack-configurations.ts';

/**
 * What the stack registers, as calls of AWS's API that nobody is asked for: the services' own models (botocore's) say
 * whether each would be taken, with every member, value, pattern and length.
 */

const RUNS = 40;

/** What is wrong with the calls of a stack of this configuration, a sentence each. */
async function faultsOf(
  calls: AwsCalls,
  configuration: StackConfiguration,
  mistake: Mistake | null = null,
): Promise<string[]> {
  const faults: string[] = [];
  const provider = awsProvider(
    unmade(async (call) => {
      const found = await calls.faults(call);
      faults.push(...found.map((sentence) => `${call.service}.${call.operation}: ${sentence}`));
    }),
  );
  await runProgram(configuration, { provider: mistake === null ? provider : withMistake(provider, mistake) });
  provider.requireMade();
  await provider.destroy();
  return faults;
}

/** A mistake in the program: what it registers is otherwise for one type of resource. */
interface Mistake {
  readonly type: string;
  readonly change: (inputs: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;
}

function withMistake(provider: Provider, { type, change }: Mistake): Provider {
  return {
    invoke: (token, args) => provider.invoke(token, args),
    create: (registration) =>
      provider.create(
        registration.type === type ? { ...registration, inputs: change(registration.inputs) } : registration,
      ),
  };
}

/** Each with what is said of it. */
const MISTAKES: Readonly<Record<string, Mistake & { readonly says: string }>> = {
  'a runtime that does not exist': {
    type: 'aws:lambda/function:Function',
    change: (inputs) => ({ ...inputs, runtime: 'nodejs24' }),
    says: 'lambda.CreateFunction: Runtime is "nodejs24", and can be nodejs,',
  },
  'a misspelt allocation strategy': {
    type: 'aws:autoscaling/group:Group',
    change: (inputs) => ({
      ...inputs,
      mixedInstancesPolicy: {
        ...(inputs.mixedInstancesPolicy as object),
        instancesDistribution: { spotAllocationStrategy: 'price-capacity-optimised' },
      },
    }),
    says: 'MixedInstancesPolicy.InstancesDistribution.SpotAllocationStrategy is "price-capacity-optimised", of which the documentation does not speak',
  },
  'a metric that groups do not have': {
    type: 'aws:autoscaling/group:Group',
    change: (inputs) => ({ ...inputs, enabledMetrics: ['GroupInstances'] }),
    says: 'autoscaling.EnableMetricsCollection: Metrics is "GroupInstances", of which the documentation does not speak',
  },
  'a number of days for which no log is kept': {
    type: 'aws:cloudwatch/logGroup:LogGroup',
    change: (inputs) => ({ ...inputs, retentionInDays: 31 }),
    says: 'logs.PutRetentionPolicy: retentionInDays is "31", of which the documentation does not speak',
  },
  'a character that tags must not have': {
    type: 'aws:iam/role:Role',
    change: (inputs) => ({ ...inputs, tags: { team: 'search*' } }),
    says: 'iam.CreateRole: Tags[0].Value is "search*", which does not match',
  },
  'a property that AWS does not know': {
    type: 'aws:ec2/launchTemplate:LaunchTemplate',
    change: (inputs) => ({ ...inputs, metadataOptions: { httpToken: 'required' } }),
    says: 'ec2.CreateLaunchTemplate: Unknown parameter in LaunchTemplateData.MetadataOptions: "HttpToken"',
  },
  'a description that is too long': {
    type: 'aws:cloudwatch/metricAlarm:MetricAlarm',
    change: (inputs) => ({ ...inputs, alarmDescription: 'word '.repeat(300) }),
    says: 'cloudwatch.PutMetricAlarm: AlarmDescription has 1500 characters, and at most 1024 are taken',
  },
  'a member that is missing': {
    type: 'aws:scheduler/schedule:Schedule',
    change: (inputs) => without(inputs, 'scheduleExpression'),
    says: 'scheduler.CreateSchedule: Missing required parameter in input: "ScheduleExpression"',
  },
};

describe.skipIf(inject('awsUrl') === null)('the AWS calls that create a stack', { timeout: 240_000 }, () => {
  it('follow the models of their services for any settings', async (scope) => {
    const calls = await openAwsCalls(scope);
    const property = fc.asyncProperty(configurations, async (configuration) => {
      expect(await faultsOf(calls, configuration)).toEqual([]);
    });
    await fc.assert(property, { numRuns: RUNS });
  });

  it('follow the models of their services for a stack with every setting', async (scope) => {
    expect(await faultsOf(await openAwsCalls(scope), FULL)).toEqual([]);
  });

  it.each(Object.entries(MISTAKES))('are found to be wrong with %s', async (_what, { says, ...mistake }) => {
    const calls = await openAwsCalls({ onTestFinished });
    expect(await faultsOf(calls, FULL, mistake)).toContainEqual(expect.stringContaining(says));
  });
});
