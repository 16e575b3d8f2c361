import { expect } from 'vitest';
import { bundleSweeper } from '../../infra/sweeper/bundle.ts';
import { INTERVAL_VARIABLE, SETTINGS_VARIABLE } from '../../infra/sweeper/sweeper-settings.ts';
import { systemClock } from '../../orchestrator/clock.ts';
import { certainStore } from '../../orchestrator/journal/certain-store.ts';
import { type Claim, runFolder, writeClaim } from '../../orchestrator/journal/claims.ts';
import { FleetLock } from '../../orchestrator/journal/lock.ts';
import { RunJournal } from '../../orchestrator/journal/run-journal.ts';
import type { JournalStore } from '../../orchestrator/journal/store.ts';
import type { RunEvent } from '../../orchestrator/reconcile/events.ts';
import { type ApiProxy, startApiProxy } from '../aws/api-proxy.ts';
import { awsEnvironment } from '../aws/aws-clients.ts';
import { journalledPinOf } from '../aws/group-fleet.ts';
import { openTestStore } from '../aws/test-bucket.ts';
import { type AwsWorld, makeWorld } from '../aws/world.ts';
import type { TestScope } from '../support/run-setup.ts';
import { IDENTITY } from '../support/virtual-world.ts';
import { type Invoked, type InvokeOptions, invokeSweeper } from './sweeper-function.ts';
import { claimedAliases } from '../support/run-values.ts';

export const FLEET = 'books';
const GRACE_MS = 600_000;

/** Bundled once for all tests of a file. */
let code: Promise<string> | null = null;

/** A fleet's group and journal, and the function that sweeps them. */
export interface Sweeper {
  readonly world: AwsWorld;
  /** Between the function and AWS. */
  readonly proxy: ApiProxy;
  /** The fleet's journal, looked at past the proxy. */
  readonly store: JournalStore;
  readonly invoke: (
    options?: Pick<InvokeOptions, 'times' | 'remainingMs'> & { readonly everyMinutes?: number },
  ) => Promise<Invoked>;
}

export async function setUpSweeper(
  scope: TestScope,
  changes: { readonly region?: string; readonly sweep_grace_ms?: number } = {},
  leaseMs = 15_000,
): Promise<Sweeper> {
  const world = await makeWorld(scope, { maximum: 4, fleet: FLEET });
  const proxy = await startApiProxy(scope, world.awsUrl);
  const { region = world.region, sweep_grace_ms = GRACE_MS } = changes;
  const settings = {
    fleet: FLEET,
    definitions: 'not/there.yaml',
    source: { url: 'postgres://nobody@127.0.0.1:1/none' },
    target: { url: 'http://127.0.0.1:1' },
    journal: { url: `s3://${world.bucket}/reindex-fleet`, lease_ms: leaseMs },
    aws: { region },
    auto_scaling: {
      group: world.group,
      token_parameter: world.tokenParameter,
      zero_quiet_ms: 500,
      sweep_grace_ms,
    },
  };
  const environment = { ...awsEnvironment(proxy.url), [SETTINGS_VARIABLE]: JSON.stringify(settings) };
  code ??= bundleSweeper();
  const bundled = await code;
  const place = { bucket: world.bucket, prefix: `reindex-fleet/${FLEET}` };
  const store = certainStore(await openTestStore(world.awsUrl, place), systemClock);
  return {
    world,
    proxy,
    store,
    invoke: ({ everyMinutes = 15, ...options } = {}) =>
      invokeSweeper(scope, {
        code: bundled,
        environment: { ...environment, [INTERVAL_VARIABLE]: String(everyMinutes) },
        ...options,
      }),
  };
}

/** How a claim ends whose run has done its work. */
export const OVER = { held: false, ended: 'finished' } as const;

type ClaimStanding = Pick<Claim, 'held' | 'ended'> & { readonly at: Date; readonly runKey?: string };

/** Writes the next claim: how a run stands from `at` on. */
export async function writeStanding(
  store: JournalStore,
  { at, runKey = IDENTITY.runKey, ...standing }: ClaimStanding,
): Promise<void> {
  const claim = {
    runKey,
    run: `run of ${runKey}`,
    aliases: claimedAliases('cities'),
    at: at.toISOString(),
    ...standing,
  };
  expect(await writeClaim(store, claim)).toBe(true);
}

/** Two workers of the run that it has not let go. */
export const LOST_TWO: readonly RunEvent[] = [
  { type: 'instance_launched', instance: 'i-spot', at: IDENTITY.startedAt },
  { type: 'instance_ended', instance: 'i-spot', at: IDENTITY.startedAt, seen: true },
  { type: 'terminating', instance: 'i-mute', decrement: false, replaced: true, reason: 'never ready' },
];

/** A run that holds the fleet and that no process drives. */
export async function claimRun(
  store: JournalStore,
  world: AwsWorld,
  events: readonly RunEvent[] = [],
): Promise<void> {
  await writeStanding(store, { at: new Date(), held: true, ended: null });
  const journal = await RunJournal.open({
    store,
    runFolder: runFolder(IDENTITY.runKey),
    epoch: 1,
    requireHeld: () => {},
    now: () => new Date(),
  });
  const pin = journalledPinOf(world, { parameter: null });
  await journal.append([IDENTITY, { type: 'fleet_pinned', pin }, ...events]);
}

/** As a process of another machine. */
export async function takeLock(store: JournalStore, purpose: string): Promise<FleetLock> {
  const holder = { host: 'elsewhere', pid: 7, identity: null, since: new Date().toISOString(), purpose };
  const { signal } = new AbortController();
  const timing = { leaseMs: 15_000, waitMs: 0, clock: systemClock, signal };
  return FleetLock.acquire(store, holder, timing, {
    stateOfHolder: () => Promise.resolve('unknown'),
    onWait: () => {},
  });
}

/** As a process does that lives. */
export async function holdLock(scope: TestScope, store: JournalStore, purpose: string): Promise<void> {
  const lock = await takeLock(store, purpose);
  lock.startRenewing();
  scope.onTestFinished(() => lock.release());
}
