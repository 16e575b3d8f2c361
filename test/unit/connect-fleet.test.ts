import { describe, expect, it, test } from 'vitest';
import { exitCodeOf } from '../../definition/failure.ts';
import { messageOf } from '../../orchestrator/errors.ts';
import { connectFleet, pinOf } from '../../orchestrator/fleet/connect-fleet.ts';
import type { FleetBackend, FleetPass } from '../../orchestrator/fleet/fleet-backend.ts';
import type { FleetPin } from '../../orchestrator/reconcile/fleet-pin.ts';
import { parseSettings } from '../../orchestrator/settings.ts';

const COMMON = {
  fleet: 'books',
  definitions: 'books.yaml',
  source: { url: 'postgres://reader@db/shop' },
  target: { url: 'https://search:9200' },
};
const GROUP = {
  ...COMMON,
  aws: { region: 'eu-central-1' },
  auto_scaling: { group: 'books', token_parameter: '/books/token' },
};

function connected(settings: object): Promise<FleetBackend> {
  return connectFleet(parseSettings(JSON.stringify(settings), 'settings.yaml'));
}

function passOf(pin: FleetPin): FleetPass {
  const state = (): ReturnType<FleetPass['state']> => ({ cleared: null, desired: 0 });
  const addresses = { sourceUrl: 'postgres://db/shop', targetUrl: 'https://search:9200' };
  return { run: 'run-1', startedAt: '2026-01-01T00:00:00Z', pin, epoch: 1, pass: 1, state, ...addresses };
}

/** Each call that a run makes of its fleet. */
const CALLS: readonly [string, (fleet: FleetBackend, pin: FleetPin) => Promise<unknown>][] = [
  ['checked', (fleet, pin) => fleet.check({ pin, underLock: false })],
  ['opened for a pass', (fleet, pin) => fleet.open(passOf(pin))],
  ['opened to be emptied', (fleet, pin) => fleet.openFleet(pin)],
];

describe.each(CALLS)('a connected fleet that is %s', (_, call) => {
  test.each([
    [
      'an Auto Scaling group, by settings without one',
      COMMON,
      'auto-scaling',
      'the run has a fleet of the kind auto-scaling, but these settings choose the kind local and lack the section auto_scaling: carry it on with the settings that it began with',
    ],
    [
      'processes of this machine, by settings with a group',
      GROUP,
      'local',
      'the run has a fleet of the kind local, but these settings choose the kind auto-scaling and lack the section local: carry it on with the settings that it began with',
    ],
    [
      'of a kind that a later version has',
      COMMON,
      'moon-base',
      'the run has a fleet of the kind moon-base. This version does not know that kind (it knows local, auto-scaling): carry it on with the version that began it',
    ],
  ])('refuses a run whose fleet is %s', async (_what, settings, kind, message) => {
    const error = await call(await connected(settings), { kind, data: {} }).catch(
      (reason: unknown) => reason,
    );
    expect(messageOf(error)).toBe(message);
    expect(exitCodeOf(error)).toBe(1);
  });
});

it('a local fleet pins a run to no data of its own, and accepts that pin again', async () => {
  const fleet = await connected(COMMON);
  const { pin } = await fleet.check({ pin: null, underLock: true });
  expect(pin).toEqual({ kind: 'local', data: {} });
  expect(await fleet.check({ pin, underLock: true })).toEqual({ pin, warnings: [] });
  const { fleet: opened } = await fleet.openFleet(pin);
  expect(await opened.observe()).toMatchObject({ desired: 0, instances: [] });
  await opened.close();
});

it('an Auto Scaling fleet refuses a pin that lacks required data, and names what is missing', async () => {
  const pin = { kind: 'auto-scaling', data: { region: 'eu-central-1', group: 'books' } };
  await expect((await connected(GROUP)).openFleet(pin)).rejects.toThrow(
    /does not say what its Auto Scaling group is pinned to[^]*at template/,
  );
});

it('a run whose journal names no fleet is refused with advice what to do', () => {
  expect(() => pinOf({ pin: null })).toThrow('end the run with `reindex-fleet abandon` and begin another');
});
