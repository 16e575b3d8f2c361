import { startApiProxy } from '../aws/api-proxy.ts';
import { awsEnvironment } from '../aws/aws-clients.ts';
import { AWS_DEADLINES, type GroupRun, type GroupRunOptions, watchedRun } from '../aws/group-run.ts';
import { openMachineRoom } from '../aws/machine-room.ts';
import { bootFromUserData } from '../aws/user-data-boot.ts';
import { type SettingsSections, setUpRun, type TestScope } from '../support/run-setup.ts';
import { sharedAwsUrl } from '../aws/shared-aws.ts';
import { makeStackWorld, type StackWorld } from './stack-world.ts';

export interface StackRun extends GroupRun {
  readonly world: StackWorld;
}

/**
 * A whole run's surroundings as `setUpGroupRun` makes them, but the fleet is a stack's: the settings file is its output, and
 * machines boot by the user data of the template that it has made.
 *
 * @param options their `settings` are the stack's
 */
export async function setUpStackRun(scope: TestScope, options: GroupRunOptions): Promise<StackRun> {
  const { databaseUrl, definition, behaviour } = options;
  const proxy = await startApiProxy(scope, sharedAwsUrl());
  const made = Promise.withResolvers<StackWorld>();
  const setup = await setUpRun(scope, {
    databaseUrl,
    definition,
    environment: awsEnvironment(proxy.url),
    settingsFrom: async ({ alias: fleet, definitionFile }) => {
      const world = await makeStackWorld(scope, {
        fleet,
        databaseUrl,
        definitionFile,
        settings: stackSettings(options),
      });
      made.resolve(world);
      return world.settings;
    },
  });
  const world = await made.promise;
  const room = await openMachineRoom(scope, {
    world,
    boot: await bootFromUserData(scope, world.clients),
    awsUrl: proxy.url,
    ...(behaviour && { behaviour }),
  });
  return { ...(await watchedRun({ setup, world, room, proxy })), world };
}

/** Fast enough for a test. */
function stackSettings({ settings = {}, workerLeaseMs = 60_000 }: GroupRunOptions): SettingsSections {
  return {
    ...settings,
    auto_scaling: { ...AWS_DEADLINES, ...settings['auto_scaling'] },
    journal: { lease_ms: 3_000, ...settings['journal'] },
    workers: { count: 2, ...settings['workers'] },
    instances: {
      parameters: { lease_ms: String(workerLeaseMs), notice_interval_ms: '200' },
      ...settings['instances'],
    },
  };
}
