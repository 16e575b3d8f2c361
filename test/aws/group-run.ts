import { join } from 'node:path';
import { expect } from 'vitest';
import type { JournalStore } from '../../orchestrator/journal/store.ts';
import { rangeCounts, type RunState } from '../../orchestrator/reconcile/state.ts';
import { documentsOf } from '../support/run-documents.ts';
import { eventually } from '../support/run-eventually.ts';
import { newestState } from '../support/run-journal.ts';
import {
  type RunSetup,
  SEARCH_URL,
  type SettingsSections,
  setUpRun,
  type TestScope,
} from '../support/run-setup.ts';
import { type ApiProxy, startApiProxy } from './api-proxy.ts';
import { awsEnvironment } from './aws-clients.ts';
import { bootFromImage } from './boot.ts';
import { callsOutside, secondDecrements } from './fleet-rules.ts';
import { instancesOf, isGroupAtZero } from './group.ts';
import { type MachineBehaviour, type MachineRoom, openMachineRoom } from './machine-room.ts';
import { openTestStore } from './test-bucket.ts';
import { type AwsWorld, makeWorld } from './world.ts';

export interface GroupRunOptions {
  readonly databaseUrl: string;
  readonly definition: Readonly<Record<string, unknown>>;
  readonly settings?: SettingsSections;
  /** A worker ends its instance when it hears nothing for so long. */
  readonly workerLeaseMs?: number;
  readonly spot?: boolean;
  readonly behaviour?: (nth: number) => MachineBehaviour;
}

/** Everything that a whole run needs: an AWS API with a group, a stand-in for EC2, a bucket for the journal, database, cluster. */
export interface GroupRun {
  readonly setup: RunSetup;
  readonly world: AwsWorld;
  readonly room: MachineRoom;
  /** Between AWS's API and all processes: the orchestrator's and the workers'. */
  readonly proxy: ApiProxy;
  /** The newest run as its journal in the bucket tells it. */
  state(): Promise<RunState | null>;
  rangesDone(count: number): Promise<void>;
}

/** Times that are fast enough for a test. They keep the design's order: renewal < lease < worker lease < sweep grace. */
export const AWS_DEADLINES = {
  poll_interval_ms: 300,
  ready_timeout_ms: 60_000,
  capacity_timeout_ms: 60_000,
  zero_quiet_ms: 1_500,
};

export async function setUpGroupRun(scope: TestScope, options: GroupRunOptions): Promise<GroupRun> {
  const { databaseUrl, definition, workerLeaseMs = 60_000, spot = false, behaviour, settings = {} } = options;
  const world = await makeWorld(scope, {
    maximum: 4,
    spot,
    workerSettings: {
      database_url: databaseUrl,
      search_url: SEARCH_URL,
      lease_ms: String(workerLeaseMs),
      notice_interval_ms: '200',
    },
  });
  const proxy = await startApiProxy(scope, world.awsUrl);
  const fleet = {
    group: world.group,
    image_parameter: world.imageParameter,
    token_parameter: world.tokenParameter,
    ...AWS_DEADLINES,
    ...settings['auto_scaling'],
  };
  const setup = await setUpRun(scope, {
    databaseUrl,
    definition,
    environment: awsEnvironment(proxy.url),
    settings: {
      ...settings,
      aws: { region: world.region, ...settings['aws'] },
      auto_scaling: fleet,
      journal: { url: `s3://${world.bucket}/reindex-fleet`, ...settings['journal'] },
    },
  });
  const boot = bootFromImage(world.workerParameters, join(setup.folder, 'places.yaml'));
  const room = await openMachineRoom(scope, {
    world,
    boot,
    awsUrl: proxy.url,
    ...(behaviour && { behaviour }),
  });
  return watchedRun({ setup, world, room, proxy });
}

/** With a look of the test's own, which neither faults nor the log of the proxy concern. */
export async function watchedRun(
  parts: Pick<GroupRun, 'setup' | 'world' | 'room' | 'proxy'>,
): Promise<GroupRun> {
  const { setup, world } = parts;
  const place = { bucket: world.bucket, prefix: `reindex-fleet/${setup.alias}` };
  const store: JournalStore = await openTestStore(world.awsUrl, place);
  const state = (): Promise<RunState | null> => newestState(store);
  const rangesDone = (count: number): Promise<void> =>
    eventually(
      `${count} ranges are done`,
      async () => {
        const seen = await state();
        return seen !== null && rangeCounts(seen).done >= count;
      },
      90_000,
    ).then(() => undefined);
  return { ...parts, state, rangesDone };
}

/** Expects what holds after every run: no instance, no second decrement, no call outside of the group. */
export async function requireOrder(run: GroupRun): Promise<void> {
  const isAtZero = async (): Promise<boolean> =>
    (await isGroupAtZero(run.world)) && run.room.running().length === 0;
  await eventually('the fleet is at zero', isAtZero, 30_000);
  const ids = (await instancesOf(run.world)).map(({ InstanceId = '' }) => InstanceId);
  expect(secondDecrements(run.proxy.calls)).toEqual([]);
  expect(callsOutside(run.proxy.calls, { group: run.world.group, instanceIds: ids })).toEqual([]);
}

/** The alias serves one index, and it holds exactly these documents. */
export async function requireDocuments(
  { setup }: GroupRun,
  documents: Readonly<Record<string, unknown>>,
): Promise<void> {
  expect(await setup.served()).toHaveLength(1);
  expect(await documentsOf(setup.alias)).toEqual(documents);
}
