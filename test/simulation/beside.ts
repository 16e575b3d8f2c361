import type { FleetBackend, FleetPass } from '../../orchestrator/fleet/fleet-backend.ts';
import type { WorkerCalls } from '../../orchestrator/fleet/worker-client.ts';
import { fleetOf, VirtualGroup } from './group.ts';
import type { VirtualProcess } from './process.ts';
import type { World } from './world.ts';

const TIMING = { reactMs: 10, bootMs: 1_000, shutdownMs: 300 };
const POLL_INTERVAL_MS = 500;

/** One worker process on the machine of an orchestrator. It ends with the orchestrator, however that ends. */
export function besideBackend(
  world: World,
  orchestrator: VirtualProcess,
  callsOf: (pass: FleetPass) => WorkerCalls,
): FleetBackend {
  const nobody = (): never => {
    throw new Error('a process beside an orchestrator is only opened for a pass');
  };
  return {
    check: nobody,
    openFleet: nobody,
    open: (pass) => {
      const group = new VirtualGroup(world.scheduler, TIMING, {
        running: (id) => orchestrator.adopt(world.workers.startBeside(id, () => group.crash(id))),
        gone: (id) => world.workers.end(id),
      });
      group.prefix = `local-${pass.epoch}-${pass.pass}-`;
      group.run = pass.run;
      group.setDesired(Math.min(pass.state().desired, 1));
      const fleet = fleetOf(group);
      const endAll = async (): Promise<void> => {
        group.setDesired(0);
        for (const id of group.live) group.terminate(id, false);
      };
      return Promise.resolve({
        fleet: {
          ...fleet,
          observe: async () => ({ ...(await fleet.observe()), exact: true }),
          terminate: async (id, options) => {
            if (group.live.includes(id)) await fleet.terminate(id, options);
          },
        },
        calls: callsOf(pass),
        timing: { ...world.timing, zeroQuietMs: 0 },
        pauseMs: () => POLL_INTERVAL_MS,
        close: endAll,
      });
    },
  };
}
