import type { Names } from '../names.ts';
import { GROUP_METRICS } from '../workers/group.ts';
import { FLEET_DIMENSION, METRICS_NAMESPACE, SWEEP_METRICS } from '../sweeper/metrics.ts';

const HALF_WIDTH = 12;
const HEIGHT = 6;

/**
 * A dashboard's body: what the fleet has, what the sweeper found, which alarms are raised.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
 *
 * @param alarmArns of all alarms
 */
export function dashboard(names: Names, alarmArns: readonly string[]): object {
  const { region } = names.place;
  const chart = (title: string, metrics: readonly (readonly string[])[], stat: string) => ({
    type: 'metric',
    width: HALF_WIDTH,
    height: HEIGHT,
    properties: { title, region, view: 'timeSeries', period: 60, stat, metrics, yAxis: { left: { min: 0 } } },
  });
  const ofGroup = (metric: string) => ['AWS/AutoScaling', metric, 'AutoScalingGroupName', names.group];
  const ofFleet = (metric: string) => [METRICS_NAMESPACE, metric, FLEET_DIMENSION, names.fleet];
  const ofFunction = (metric: string) => ['AWS/Lambda', metric, 'FunctionName', names.sweeper];
  return {
    widgets: [
      {
        type: 'alarm',
        width: 2 * HALF_WIDTH,
        height: 2,
        properties: { title: `Alarms of the fleet ${names.fleet}`, alarms: alarmArns },
      },
      chart('Instances', GROUP_METRICS.map(ofGroup), 'Maximum'),
      chart(
        'Dead letters, lost workers, instances without a run',
        Object.values(SWEEP_METRICS).map(ofFleet),
        'Maximum',
      ),
      chart('Sweeps', [ofFunction('Invocations'), ofFunction('Errors')], 'Sum'),
      chart('Duration of a sweep (ms)', [ofFunction('Duration')], 'Maximum'),
    ],
  };
}
