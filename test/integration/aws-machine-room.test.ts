import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { processEntry } from '../../embedded/process-table.ts';
import { bootFromImage } from '../aws/boot.ts';
import { groupIdsOf, groupOf, instancesOf, setDesired, terminate } from '../aws/group.ts';
import type { Machine } from '../aws/machine.ts';
import { type MachineRoom, type MachineRoomOptions, openMachineRoom } from '../aws/machine-room.ts';
import { type AwsWorld, makeWorld } from '../aws/world.ts';
import { eventually } from '../support/run-eventually.ts';
import { definitionFolders } from '../support/worker-process.ts';

const writeDefinition = definitionFolders();
const definitionsWith = (field: string): Promise<string> =>
  writeDefinition(
    'cities',
    `source:\n  table: public.cities\n  key: id\ndocument:\n  ${field}: cities.name\n`,
  );

/** A group's world and who plays EC2 in it. */
async function open(
  options: Pick<MachineRoomOptions, 'behaviour' | 'environment'> = {},
): Promise<{ world: AwsWorld; room: MachineRoom }> {
  const scope = { onTestFinished };
  const world = await makeWorld(scope, {
    maximum: 4,
    workerSettings: { database_url: inject('postgresUrl'), search_url: inject('developmentUrl') },
  });
  const boot = bootFromImage(world.workerParameters, await definitionsWith('name'));
  return { world, room: await openMachineRoom(scope, { world, boot, ...options }) };
}

interface Health {
  readonly worker_id: string;
  readonly build: string;
}

/** Waits until the worker on the instance answers. */
function healthOf(room: MachineRoom, id: string): Promise<Health> {
  return eventually(`the worker on ${id} answers`, async () => {
    const machine = room.machineOf(id);
    if (machine === null) return null;
    if (!machine.isRunning) throw new Error(`It has ended: ${machine.errors}`);
    const answer = await fetch(`http://${machine.address}:8003/healthcheck`).catch(() => null);
    return answer && ((await answer.json()) as Health);
  });
}

const isAlive = ({ pid = 0 }: Machine): boolean => processEntry(pid) !== null;

describe.skipIf(inject('awsUrl') === null)('the simulated machines of an Auto Scaling group', () => {
  test('run while their instances run, each at its own address', async () => {
    const { world, room } = await open();
    await setDesired(world, 2);
    const [one = '', other = ''] = await groupIdsOf(world);
    expect(await healthOf(room, one)).toMatchObject({ worker_id: one });
    expect(await healthOf(room, other)).toMatchObject({ worker_id: other });
    const addresses = (await instancesOf(world)).map(({ PrivateIpAddress }) => PrivateIpAddress);
    expect(room.machines.map(({ address }) => address)).toEqual(addresses);

    await terminate(world, one, true);
    await eventually('the one is off', () => room.running().length === 1);
    expect(room.running().map(({ instanceId }) => instanceId)).toEqual([other]);
    expect(room.machines.map(isAlive)).toEqual([false, true]);
  });

  test('boot late, never or with another build, and outlive their instances, as the test wants', async () => {
    const odd = await definitionsWith('title');
    const behaviours = [{}, { definitions: odd, outlives: true }, { neverBoots: true }, { bootDelayMs: 500 }];
    const { world, room } = await open({ behaviour: (nth) => behaviours[nth] ?? {} });
    await setDesired(world, 4);
    const [usual = '', other = '', never = '', late = ''] = await groupIdsOf(world);
    const healths = await Promise.all([usual, other, late].map((id) => healthOf(room, id)));
    expect(new Set(healths.map(({ build }) => build)).size).toBe(2);
    expect(healths[0]?.build).toBe(healths[2]?.build);
    expect(room.machineOf(never)).toBeNull();

    await terminate(world, usual, true);
    await terminate(world, other, true);
    await eventually('the usual one is off', () => room.machineOf(usual)?.isRunning === false);
    expect(room.machineOf(other)?.isRunning).toBe(true);
  });

  test('end their instances by shutting down, and are replaced', async () => {
    const { world, room } = await open({
      environment: {
        REINDEX_WORKER_LEASE_MS: '1000',
        // The group cannot be asked: the last resort is left.
        AWS_ENDPOINT_URL_AUTO_SCALING: 'http://127.0.0.4:1',
        REINDEX_WORKER_RETIRE_TIMEOUT_MS: '500',
      },
      behaviour: (nth) => ({ neverBoots: nth > 0 }),
    });
    await setDesired(world, 1);
    const [id = ''] = await groupIdsOf(world);
    await eventually('it is off', () => room.machineOf(id)?.isRunning === false);
    await eventually('its instance has ended', async () => {
      const [first] = await instancesOf(world);
      return first?.State?.Name === 'terminated' && first.StateReason?.Code;
    }).then((code) => expect(code).toBe('Client.InstanceInitiatedShutdown'));
    expect(room.shutDowns).toEqual([id]);
    expect(await groupOf(world)).toMatchObject({ DesiredCapacity: 1 });
    expect(await groupIdsOf(world)).not.toContain(id);
  });
});
