import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { child } from '../child.ts';
import type { Names } from '../names.ts';
import type { StackSettings } from '../settings/schema.ts';
import { tagsOf } from '../tags.ts';
import { alarms } from './alarms.ts';
import { dashboard } from './dashboard.ts';

export interface FleetWatchArgs {
  readonly settings: StackSettings;
  readonly names: Names;
  /** What is watched. It is made before the alarms and deleted after them, so that it raises none. */
  readonly after: readonly pulumi.Resource[];
}

/** The alarms, and one dashboard that shows everything. */
export class FleetWatch extends pulumi.ComponentResource {
  readonly alarms: readonly aws.cloudwatch.MetricAlarm[];

  constructor(name: string, args: FleetWatchArgs, options: pulumi.ComponentResourceOptions = {}) {
    super('reindex-fleet:index:FleetWatch', name, {}, options);
    const { settings, names, after } = args;
    const topics = settings.watch.topics;
    this.alarms = alarms(settings, names).map(
      (alarm) =>
        new aws.cloudwatch.MetricAlarm(
          `${name}-${alarm.name}`,
          {
            ...alarm.args,
            name: `${names.group}-${alarm.name}`,
            alarmActions: topics,
            okActions: topics,
            tags: { ...tagsOf(names, settings.tags) },
          },
          child(this, { dependsOn: [...after] }),
        ),
    );
    if (settings.watch.dashboard) {
      new aws.cloudwatch.Dashboard(
        name,
        {
          dashboardName: names.group,
          dashboardBody: pulumi
            .all(this.alarms.map(({ arn }) => arn))
            .apply((arns) => JSON.stringify(dashboard(names, arns))),
        },
        child(this),
      );
    }
    this.registerOutputs({});
  }
}
