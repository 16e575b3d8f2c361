import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { type ApiProxy, startApiProxy } from '../aws/api-proxy.ts';
import { awsEnvironment } from '../aws/aws-clients.ts';
import { groupOf, instancesOf } from '../aws/group.ts';
import { type AwsWorld, makeWorld } from '../aws/world.ts';
import { type RunSetup, setUpRun } from '../support/run-setup.ts';
import { PLACES, placesDatabase } from '../support/run-table.ts';

/** The command as a user gives it, with a group as its fleet. */

const database = placesDatabase();
const searchUrl = inject('developmentUrl');
const scope = { onTestFinished };

interface Commands {
  readonly world: AwsWorld;
  readonly proxy: ApiProxy;
  readonly setup: RunSetup;
  readonly command: (name: string, ...args: string[]) => ReturnType<RunSetup['run']>;
}

async function commands(region = 'eu-central-1'): Promise<Commands> {
  const workerSettings = { database_url: database.url(), search_url: searchUrl };
  const world = await makeWorld(scope, { maximum: 2, workerSettings });
  const proxy = await startApiProxy(scope, world.awsUrl);
  const setup = await setUpRun(scope, {
    databaseUrl: database.url(),
    searchUrl,
    definition: PLACES,
    settings: {
      aws: { region },
      auto_scaling: {
        group: world.group,
        image_parameter: world.imageParameter,
        token_parameter: world.tokenParameter,
        poll_interval_ms: 250,
      },
    },
  });
  const environment = awsEnvironment(proxy.url);
  const command: Commands['command'] = (name, ...args) =>
    setup.startWith({ environment }, name, ...args).ended;
  return { world, proxy, setup, command };
}

async function expectNothingBegun({ world, setup, proxy }: Commands): Promise<void> {
  expect(await instancesOf(world)).toEqual([]);
  expect(await groupOf(world)).toMatchObject({ DesiredCapacity: 0, Instances: [] });
  expect(await setup.indexes()).toEqual([]);
  expect(
    proxy.callsOf('SetDesiredCapacity').filter(({ parameters }) => parameters['DesiredCapacity'] !== '0'),
  ).toEqual([]);
}

describe.skipIf(inject('awsUrl') === null)('a command whose fleet is an Auto Scaling group', () => {
  test.each(['plan', 'run'])(
    'of the name %s says that the AWS credentials have expired, and begins nothing',
    async (name) => {
      const with_ = await commands();
      const message = 'The security token included in the request is expired';
      with_.proxy.fail({ action: 'GetCallerIdentity', with: { status: 403, code: 'ExpiredToken', message } });
      const { code, result } = await with_.command(name);
      expect(code).toBe(1);
      expect(result).toMatchObject({
        status: 'failed',
        exit_code: 1,
        error: expect.stringContaining(
          'ExpiredToken: The security token included in the request is expired (the AWS credentials have expired: renew them)',
        ),
      });
      await expectNothingBegun(with_);
    },
  );

  test('names region, account and group when the region of the settings is not that of the group', async () => {
    const with_ = await commands('eu-west-1');
    const { code, result } = await with_.command('run');
    expect(code).toBe(1);
    expect(result.error).toContain(
      `there is no Auto Scaling group ${with_.world.group} in region eu-west-1 of account 123456789012`,
    );
    await expectNothingBegun(with_);
  });

  test('refuses an invalid region in the settings without a call to AWS', async () => {
    const with_ = await commands('frankfurt');
    const { code, result } = await with_.command('run');
    expect(code).toBe(2);
    expect(result.error).toContain('aws.region: This is no region, such as eu-central-1.');
    expect(with_.proxy.calls).toEqual([]);
  });

  test('of the name plan changes nothing, and warns of what may happen', async () => {
    const with_ = await commands();
    const { code, result, stderr } = await with_.command('plan');
    expect(code).toBe(0);
    expect(result).toMatchObject({ status: 'planned', workers: 2 });
    expect(stderr).toContain('If that changes during the run, the run launches no more instances');
    expect(with_.proxy.calls.filter(({ action }) => !/^(Describe|Get)/.test(action))).toEqual([]);
    await expectNothingBegun(with_);
  });
});
