import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { FleetRole } from '../access/fleet-role.ts';
import { trust } from '../access/policy-document.ts';
import { schedulerPolicy, schedulerTrust, sweeperPolicy } from '../access/sweeper-policy.ts';
import { child } from '../child.ts';
import type { Names } from '../names.ts';
import { sweeperSettingsText } from '../settings/orchestrator-settings.ts';
import type { StackSettings } from '../settings/schema.ts';
import { tagsOf } from '../tags.ts';
import { INTERVAL_VARIABLE, SETTINGS_VARIABLE } from './sweeper-settings.ts';
import { sweepTimeLimitSeconds } from './time-limit.ts';

export interface FleetSweeperArgs {
  readonly settings: StackSettings;
  readonly names: Names;
  /** See `sweeperFile`. */
  readonly code: pulumi.asset.Asset;
  /** What it sweeps. These resources are made before the sweeper and deleted after it. */
  readonly after: readonly pulumi.Resource[];
}

/** The orchestrator's own `sweep`, which AWS runs on a schedule. It needs no Airflow and no machine that is up. */
export class FleetSweeper extends pulumi.ComponentResource {
  readonly function: aws.lambda.Function;
  readonly schedule: aws.scheduler.Schedule;

  constructor(name: string, args: FleetSweeperArgs, options: pulumi.ComponentResourceOptions = {}) {
    super('reindex-fleet:index:FleetSweeper', name, {}, options);
    const { settings, names, after } = args;
    const tags = { ...tagsOf(names, settings.tags) };
    const permissionsBoundary = settings.access.permissions_boundary;
    // Otherwise the first invocation would make a log that keeps everything forever and outlives the stack.
    const logs = new aws.cloudwatch.LogGroup(
      name,
      { name: names.sweeperLogs, retentionInDays: settings.watch.log_days, tags },
      child(this),
    );
    const role = new FleetRole(
      `${name}-role`,
      {
        name: names.sweeperRole,
        description: `Sweeps the fleet ${names.fleet}`,
        trust: trust('lambda'),
        policy: sweeperPolicy(names),
        permissionsBoundary,
        tags,
      },
      { parent: this },
    );
    this.function = new aws.lambda.Function(
      name,
      functionArgs(args, role.role.arn, tags),
      child(this, { dependsOn: [role.attached, logs, ...after] }),
    );
    const scheduler = new FleetRole(
      `${name}-schedule-role`,
      {
        name: names.schedulerRole,
        description: `Invokes the sweeper of the fleet ${names.fleet}`,
        trust: schedulerTrust(names),
        policy: schedulerPolicy(names),
        permissionsBoundary,
        tags,
      },
      { parent: this },
    );
    new aws.lambda.FunctionEventInvokeConfig(
      name,
      // The schedule invokes it again anyway, and each failed sweep counts once.
      { functionName: this.function.name, maximumRetryAttempts: 0 },
      child(this),
    );
    this.schedule = new aws.scheduler.Schedule(
      name,
      {
        name: names.schedule,
        description: `Brings the fleet ${names.fleet} to zero unless a live run drives it`,
        scheduleExpression: rate(settings.sweep.every_minutes),
        flexibleTimeWindow: { mode: 'OFF' },
        target: {
          arn: this.function.arn,
          roleArn: scheduler.role.arn,
          input: '{}',
          // The next one comes anyway.
          retryPolicy: { maximumRetryAttempts: 0 },
        },
      },
      child(this, { dependsOn: scheduler.attached }),
    );
    this.registerOutputs({ function: this.function.name });
  }
}

const MEMORY_MIB = 256;

function functionArgs(
  { settings, names, code }: FleetSweeperArgs,
  role: pulumi.Input<string>,
  tags: Record<string, string>,
): aws.lambda.FunctionArgs {
  return {
    name: names.sweeper,
    description: `Sweeps the fleet ${names.fleet}`,
    role,
    runtime: 'nodejs24.x',
    architectures: ['arm64'],
    handler: 'index.handler',
    code: new pulumi.asset.AssetArchive({ 'index.mjs': code }),
    timeout: sweepTimeLimitSeconds({
      leaseMs: settings.journal.lease_ms,
      zeroQuietMs: settings.auto_scaling.zero_quiet_ms,
    }),
    memorySize: MEMORY_MIB,
    environment: {
      variables: {
        [SETTINGS_VARIABLE]: sweeperSettingsText(settings, names),
        [INTERVAL_VARIABLE]: String(settings.sweep.every_minutes),
      },
    },
    tags,
  };
}

/** https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#rate-based */
function rate(minutes: number): string {
  return `rate(${minutes} ${minutes === 1 ? 'minute' : 'minutes'})`;
}
