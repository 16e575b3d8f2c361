import type * as aws from '@pulumi/aws';
import type { Unwrap } from '@pulumi/pulumi';
import { kind, textIn } from './kind.ts';
import { members, tagList } from './names.ts';

type AlarmInputs = Unwrap<aws.cloudwatch.MetricAlarmArgs>;

export const alarm = kind<AlarmInputs>({
  type: 'aws:cloudwatch/metricAlarm:MetricAlarm',
  async make({ name, okActions, dimensions, metricQueries, tags, ...others }, call) {
    await call('cloudwatch', 'PutMetricAlarm', {
      AlarmName: name,
      ...members(others),
      OKActions: okActions,
      ...(dimensions && { Dimensions: dimensionList(dimensions) }),
      ...(metricQueries && { Metrics: metricQueries.map(query) }),
      Tags: tagList(tags),
    });
    const answer = await call('cloudwatch', 'DescribeAlarms', { AlarmNames: [name] });
    return { id: name ?? '', outputs: { arn: textIn(answer, 'MetricAlarms', 0, 'AlarmArn') } };
  },
  async remove({ name }, call) {
    await call('cloudwatch', 'DeleteAlarms', { AlarmNames: [name] });
  },
});

function query({ metric, ...others }: NonNullable<AlarmInputs['metricQueries']>[number]): object {
  if (metric === undefined) return members(others);
  const { namespace, metricName, dimensions, ...statistic } = metric;
  return {
    ...members(others),
    MetricStat: {
      Metric: { Namespace: namespace, MetricName: metricName, Dimensions: dimensionList(dimensions) },
      ...members(statistic),
    },
  };
}

function dimensionList(dimensions: Readonly<Record<string, string>> | undefined) {
  return Object.entries(dimensions ?? {}).map(([Name, Value]) => ({ Name, Value }));
}

export const dashboard = kind<Unwrap<aws.cloudwatch.DashboardArgs>>({
  type: 'aws:cloudwatch/dashboard:Dashboard',
  async make(inputs, call) {
    await call('cloudwatch', 'PutDashboard', members(inputs));
    return { id: inputs.dashboardName };
  },
  async remove({ dashboardName }, call) {
    await call('cloudwatch', 'DeleteDashboards', { DashboardNames: [dashboardName] });
  },
});
