/**
 * Actions that the fleet's policies allow and that services of AWS call in the role's name. No process of ours calls them.
 * Each action says who needs it and for what.
 */
export const CALLED_BY_AWS: Readonly<Record<string, string>> = {
  'lambda:InvokeFunction': 'EventBridge Scheduler invokes the sweeper, by the schedule’s role',
  'logs:CreateLogStream': 'Lambda begins a log stream for each process of the sweeper',
  'logs:PutLogEvents': 'Lambda writes down what the sweeper says, its metrics among it',
};
