import type * as aws from '@pulumi/aws';
import type * as pulumi from '@pulumi/pulumi';
import { z } from 'zod';
import { kind, textIn } from './kind.ts';
import { members } from './names.ts';

/** The sweeper's function, its log and its schedule. Moto runs functions only with docker, so nothing invokes it here. */

export const lambdaFunction = kind<pulumi.Unwrap<aws.lambda.FunctionArgs>>({
  type: 'aws:lambda/function:Function',
  async make({ name, code, environment, tags, ...others }, call) {
    const { variables, ...further } = environment ?? {};
    const answer = await call('lambda', 'CreateFunction', {
      FunctionName: name,
      ...members(others),
      Code: { ZipFile: { zip: textsOf(code) } },
      Environment: { Variables: variables, ...members(further) },
      Tags: tags,
    });
    return { id: name ?? '', outputs: { arn: textIn(answer, 'FunctionArn') } };
  },
  async remove({ name }, call) {
    await call('lambda', 'DeleteFunction', { FunctionName: name });
  },
});

/** An archive of texts, as Pulumi hands it to a provider, with its own marks. */
const archive = z.strictObject({
  __pulumiArchive: z.unknown(),
  assets: z
    .record(z.string(), z.strictObject({ __pulumiAsset: z.unknown(), text: z.string() }))
    .refine((files) => Object.keys(files).length > 0),
});

function textsOf(code: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(archive.parse(code).assets).map(([name, { text }]) => [name, text]),
  );
}

export const functionRetries = kind<pulumi.Unwrap<aws.lambda.FunctionEventInvokeConfigArgs>>({
  type: 'aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig',
  async make(inputs, call) {
    await call('lambda', 'PutFunctionEventInvokeConfig', members(inputs));
    return { id: inputs.functionName };
  },
  async remove({ functionName }, call) {
    await call('lambda', 'DeleteFunctionEventInvokeConfig', { FunctionName: functionName });
  },
});

export const logGroup = kind<pulumi.Unwrap<aws.cloudwatch.LogGroupArgs>>({
  type: 'aws:cloudwatch/logGroup:LogGroup',
  async make({ name, retentionInDays, tags, ...others }, call) {
    await call('logs', 'CreateLogGroup', { logGroupName: name, tags, ...others });
    await call('logs', 'PutRetentionPolicy', { logGroupName: name, retentionInDays });
    return { id: name ?? '' };
  },
  async remove({ name }, call) {
    await call('logs', 'DeleteLogGroup', { logGroupName: name });
  },
});

export const schedule = kind<pulumi.Unwrap<aws.scheduler.ScheduleArgs>>({
  type: 'aws:scheduler/schedule:Schedule',
  async make(inputs, call) {
    await call('scheduler', 'CreateSchedule', members(inputs));
    return { id: `default/${inputs.name}` };
  },
  async remove({ name }, call) {
    await call('scheduler', 'DeleteSchedule', { Name: name });
  },
});
