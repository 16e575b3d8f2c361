import type * as aws from '@pulumi/aws';
import type { Names } from '../names.ts';
import type { StackSettings } from '../settings/schema.ts';
import { FLEET_DIMENSION, METRICS_NAMESPACE, SWEEP_METRICS } from '../sweeper/metrics.ts';

const MINUTE_SECONDS = 60;
const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 86_400;
const MINUTES_PER_HOUR = 60;

/** An alarm by its name within the fleet. */
export interface Alarm {
  readonly name: string;
  readonly args: Omit<aws.cloudwatch.MetricAlarmArgs, 'name' | 'tags'>;
}

type Watched = Pick<StackSettings, 'watch' | 'sweep' | 'price'>;
type Price = NonNullable<StackSettings['price']>;

/** What a person should come and see. None is raised by a fleet at rest. */
export function alarms(settings: Watched, names: Names): Alarm[] {
  const { price, watch } = settings;
  const { cost_per_day: cost } = watch;
  return [
    withoutRun(settings, names),
    tooLong(settings, names),
    ...(cost === null || price === null ? [] : [costAbove(cost, price, names)]),
    workersLost(settings, names),
    deadLetters(settings, names),
    sweepFails(settings, names),
  ];
}

function withoutRun({ sweep }: Watched, names: Names): Alarm {
  return {
    name: 'instances-without-run',
    args: {
      alarmDescription: `Instances of the fleet ${names.fleet} were found that no live run drives. The sweeper ends them when their run has been silent for its grace; look at its log (${names.sweeperLogs}) and at \`reindex-fleet status\`.`,
      ...ofFleet(names, SWEEP_METRICS.instancesWithoutRun, 'Maximum', sweep.every_minutes),
      threshold: 0,
    },
  };
}

/** By the group's own metrics: it does not rest on the sweeper. */
function tooLong({ watch }: Watched, names: Names): Alarm {
  return {
    name: 'instances-too-long',
    args: {
      alarmDescription: `The fleet ${names.fleet} has had instances for ${watch.run_hours} full hours on end, longer than a run takes. \`status\` says whose they are, \`abandon\` or \`sweep\` ends them, each with this fleet's settings.`,
      namespace: 'AWS/AutoScaling',
      metricName: 'GroupTotalInstances',
      dimensions: { AutoScalingGroupName: names.group },
      statistic: 'Minimum',
      period: HOUR_SECONDS,
      evaluationPeriods: watch.run_hours,
      comparisonOperator: 'GreaterThanThreshold',
      threshold: 0,
      treatMissingData: 'notBreaching',
    },
  };
}

/** The group's metrics come once a minute, so their sum over a day is what it had of instances, in minutes. */
function costAbove(most: number, { per_hour: price, currency }: Price, names: Names): Alarm {
  return {
    name: 'cost',
    args: {
      alarmDescription: `Instances of the fleet ${names.fleet} have cost more than ${most} ${currency} in a day, at ${price} ${currency} an hour each.`,
      metricQueries: [
        {
          id: 'minutes',
          metric: {
            namespace: 'AWS/AutoScaling',
            metricName: 'GroupTotalInstances',
            dimensions: { AutoScalingGroupName: names.group },
            stat: 'Sum',
            period: DAY_SECONDS,
          },
        },
        {
          id: 'cost',
          label: `${currency} a day`,
          expression: `minutes / ${MINUTES_PER_HOUR} * ${price}`,
          returnData: true,
        },
      ],
      evaluationPeriods: 1,
      comparisonOperator: 'GreaterThanThreshold',
      threshold: most,
      treatMissingData: 'notBreaching',
    },
  };
}

function workersLost({ watch, sweep }: Watched, names: Names): Alarm {
  return {
    name: 'workers-lost',
    args: {
      alarmDescription: `More than ${watch.workers_lost} workers of a run of the fleet ${names.fleet} were lost: they failed their health check, never got ready, or were taken away. \`reindex-fleet status\` and the run's own output say why.`,
      ...ofFleet(names, SWEEP_METRICS.workersLost, 'Maximum', sweep.every_minutes),
      threshold: watch.workers_lost,
    },
  };
}

function deadLetters({ watch, sweep }: Watched, names: Names): Alarm {
  return {
    name: 'dead-letters',
    args: {
      alarmDescription: `A run of the fleet ${names.fleet} has more than ${watch.dead_letters} rows that could not become documents. They stand with their reasons in the companion index of its target.`,
      ...ofFleet(names, SWEEP_METRICS.deadLetters, 'Maximum', sweep.every_minutes),
      threshold: watch.dead_letters,
    },
  };
}

/**
 * Twice in a row. Lambda counts the errors of every invocation, none as 0: where nothing is counted, nothing was invoked.
 */
function sweepFails({ sweep }: Watched, names: Names): Alarm {
  return {
    name: 'sweep-fails',
    args: {
      alarmDescription: `The sweeper of the fleet ${names.fleet} fails again and again, or is not invoked: nothing would end instances that a dead run leaves. Its log is ${names.sweeperLogs}.`,
      namespace: 'AWS/Lambda',
      metricName: 'Errors',
      dimensions: { FunctionName: names.sweeper },
      statistic: 'Maximum',
      period: periodOf(sweep.every_minutes),
      evaluationPeriods: 2,
      comparisonOperator: 'GreaterThanThreshold',
      threshold: 0,
      treatMissingData: 'breaching',
    },
  };
}

/** One of the sweeper's own metrics, which it writes only while there is something to say. */
function ofFleet(names: Names, metricName: string, statistic: string, everyMinutes: number) {
  return {
    namespace: METRICS_NAMESPACE,
    metricName,
    dimensions: { [FLEET_DIMENSION]: names.fleet },
    statistic,
    period: periodOf(everyMinutes),
    evaluationPeriods: 1,
    comparisonOperator: 'GreaterThanThreshold',
    treatMissingData: 'notBreaching',
  };
}

/** In seconds. */
function periodOf(minutes: number): number {
  return minutes * MINUTE_SECONDS;
}
