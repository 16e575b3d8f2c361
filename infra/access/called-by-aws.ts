/**
 * What the fleet's policies allow though no process of ours calls it: services of AWS do, in the role's name. By action, with
 * who needs it for what.
 */
export const CALLED_BY_AWS: Readonly<Record<string, string>> = {
  'lambda:InvokeFunction': 'EventBridge Scheduler invokes the sweeper, by the schedule’s role',
  'logs:CreateLogStream': 'Lambda begins a log stream for each process of the sweeper',
  'logs:PutLogEvents': 'Lambda writes down what the sweeper says, its metrics among it',
};
