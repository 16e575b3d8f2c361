/**
 * The metrics that a sweep leaves in CloudWatch, by their names: for what writes them, and for alarms and dashboard.
 *
 * A custom metric costs $0.30 a month, by the hour in which it is written (https://aws.amazon.com/cloudwatch/pricing/), so
 * at rest there is none: a fleet without instances and without a recent run writes nothing, and an alarm takes missing data
 * as good.
 */

export const METRICS_NAMESPACE = 'ReindexFleet';

/** The one dimension of each metric; its value is the fleet's name. */
export const FLEET_DIMENSION = 'Fleet';

/**
 * All are numbers of something, written together, once a sweep.
 *
 * - `InstancesWithoutRun`: see `SweepMeasures.instancesWithoutRun`; 0 beside a process that lives
 * - `DeadLetters`, `WorkersLost`: of the run that is unfinished or has just ended; they rise while it goes on
 */
export const SWEEP_METRICS = {
  instancesWithoutRun: 'InstancesWithoutRun',
  deadLetters: 'DeadLetters',
  workersLost: 'WorkersLost',
} as const;

export type SweepMeasure = keyof typeof SWEEP_METRICS;
