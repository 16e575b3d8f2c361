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

/** The alarms that call a person. A fleet at rest raises none. */
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
      alarmDescription: `The sweeper found instances of the fleet ${names.fleet} that no live run drives. It ends them when their run has written nothing for the grace. Its log (${names.sweeperLogs}) and \`reindex-fleet status\` say more.`,
      ...ofFleet(names, SWEEP_METRICS.instancesWithoutRun, 'Maximum', sweep.every_minutes),
      threshold: 0,
    },
  };
}

/** It uses the group's own metrics, so it works without the sweeper. */
function tooLong({ watch }: Watched, names: Names): Alarm {
  return {
    name: 'instances-too-long',
    args: {
      alarmDescription: `The fleet ${names.fleet} has had instances for ${watch.run_hours} full hours without a pause. A run should be over by then. \`reindex-fleet status\` with this fleet's settings says which run has them. \`abandon\` or \`sweep\` ends them.`,
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

/** The group's metrics come once a minute. So their sum over a day is the minutes of all its instances. */
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
      alarmDescription: `A run of the fleet ${names.fleet} has lost more than ${watch.workers_lost} workers: they failed their health checks, never got ready, or AWS took them away. \`reindex-fleet status\` and the run's own output say why.`,
      ...ofFleet(names, SWEEP_METRICS.workersLost, 'Maximum', sweep.every_minutes),
      threshold: watch.workers_lost,
    },
  };
}

function deadLetters({ watch, sweep }: Watched, names: Names): Alarm {
  return {
    name: 'dead-letters',
    args: {
      alarmDescription: `A run of the fleet ${names.fleet} has more than ${watch.dead_letters} rows that could not become documents. The index <target index>-dead-letters has them, with their reasons.`,
      ...ofFleet(names, SWEEP_METRICS.deadLetters, 'Maximum', sweep.every_minutes),
      threshold: watch.dead_letters,
    },
  };
}

/**
 * It is raised when a sweep fails twice in a row, or when nothing invokes it. Lambda counts the errors of every invocation,
 * and writes 0 if there are none. So missing counts mean that there was no invocation.
 */
function sweepFails({ sweep }: Watched, names: Names): Alarm {
  return {
    name: 'sweep-fails',
    args: {
      alarmDescription: `The sweeper of the fleet ${names.fleet} failed twice in a row, or nothing invokes it. Without it, instances of a dead run may stay. Its log is ${names.sweeperLogs}.`,
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

/** An alarm on one of the sweeper's own metrics. The sweeper writes them only while the fleet is not at rest. */
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
