import type { SweepMeasures } from './measure.ts';
import { FLEET_DIMENSION, METRICS_NAMESPACE, SWEEP_METRICS } from './metrics.ts';

/**
 * A line of the log from which CloudWatch makes metrics. This needs no call and no permission:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function embeddedMetrics(fleet: string, measures: SweepMeasures, now: Date): string {
  const metrics = typedEntries(SWEEP_METRICS);
  const directive = {
    Namespace: METRICS_NAMESPACE,
    Dimensions: [[FLEET_DIMENSION]],
    Metrics: metrics.map(([, Name]) => ({ Name, Unit: 'Count' })),
  };
  return JSON.stringify({
    _aws: { Timestamp: now.getTime(), CloudWatchMetrics: [directive] },
    [FLEET_DIMENSION]: fleet,
    ...Object.fromEntries(metrics.map(([measure, name]) => [name, measures[measure]])),
  });
}

function typedEntries<Key extends string, Value>(record: Readonly<Record<Key, Value>>): [Key, Value][] {
  return Object.entries(record) as [Key, Value][];
}
