/**
 * Names of the metrics that a sweep writes to CloudWatch. The sweeper, the alarms and the dashboard use them.
 *
 * A custom metric costs $0.30 a month, billed by the hour in which it is written (https://aws.amazon.com/cloudwatch/pricing/).
 * So a fleet without instances and without a recent run writes nothing. Alarms treat missing data as good.
 */

export const METRICS_NAMESPACE = 'ReindexFleet';

/** The only dimension of each metric. Its value is the fleet's name. */
export const FLEET_DIMENSION = 'Fleet';

/**
 * All are counts. Each sweep writes them together.
 *
 * - `InstancesWithoutRun`: see `SweepMeasures.instancesWithoutRun`; 0 while a live process has the fleet
 * - `DeadLetters`, `WorkersLost`: of the run that is unfinished or has just ended; they rise while it goes on
 */
export const SWEEP_METRICS = {
  instancesWithoutRun: 'InstancesWithoutRun',
  deadLetters: 'DeadLetters',
  workersLost: 'WorkersLost',
} as const;

export type SweepMeasure = keyof typeof SWEEP_METRICS;
