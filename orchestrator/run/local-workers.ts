import { randomBytes } from 'node:crypto';
import { RunFailed } from '../errors.ts';
import { LocalFleet } from '../fleet/local-fleet.ts';
import { WorkerClient } from '../fleet/worker-client.ts';
import type { FleetPin } from '../reconcile/fleet-pin.ts';
import type { CheckedFleet, FleetTiming, PassWorkers, RunContext, WorkersBackend } from './context.ts';
import { urlWithPassword } from './source-connection.ts';

/** A view of local processes is exact, and a call has taken effect when it returns; ending one takes seconds. */
const LOCAL_TIMING: FleetTiming = { zeroQuietMs: 0, terminateTimeoutMs: 15_000 };

const LOCAL_PIN: FleetPin = { kind: 'local', data: {} };

/** Worker processes on this machine, which end with this process: there is nothing to check, and none to be left over. */
export const localWorkers: WorkersBackend = {
  check: ({ pin }) => checkLocalWorkers(pin),
  open: async (context) => {
    await checkLocalWorkers(context.journal.state.pin);
    return openLocalWorkers(context);
  },
  openFleet: async (pin) => {
    await checkLocalWorkers(pin);
    const fleet = new LocalFleet({ run: '', epoch: 0, pass: 0, environment: {} });
    return { fleet, timing: LOCAL_TIMING };
  },
};

function checkLocalWorkers(pin: FleetPin | null): Promise<CheckedFleet> {
  if (pin === null || pin.kind === LOCAL_PIN.kind) return Promise.resolve({ pin: LOCAL_PIN, warnings: [] });
  const reason = `the run has the Auto Scaling group ${JSON.stringify(pin.data.group).replaceAll('"', '')} as its fleet, and these settings have no section aws: carry it on with the settings that it began with`;
  return Promise.reject(new RunFailed(reason));
}

/** With a token of their own. */
export function openLocalWorkers(context: RunContext): PassWorkers {
  const { offline, journal, lock, identity } = context;
  const token = randomBytes(24).toString('hex');
  const fleet = new LocalFleet({
    run: identity.run,
    epoch: lock.epoch,
    pass: journal.state.lastPass,
    environment: workerEnvironment(context, token),
  });
  const calls = new WorkerClient({
    run: identity.run,
    epoch: lock.epoch,
    token,
    timeoutMs: offline.settings.workers.call_timeout_ms,
  });
  const close = async (): Promise<void> => void (await Promise.all([fleet.close(), calls.close()]));
  return {
    fleet,
    calls,
    timing: LOCAL_TIMING,
    outlivesProcess: false,
    pauseMs: () => offline.settings.workers.poll_interval_ms,
    readyTimeoutMs: offline.settings.workers.ready_timeout_ms,
    close,
  };
}

function workerEnvironment({ offline, connections }: RunContext, token: string): Record<string, string> {
  const { settings } = offline;
  const { targetPassword, targetApiKey } = settings.secrets;
  return {
    REINDEX_WORKER_HOST: '127.0.0.1',
    REINDEX_WORKER_PORT: '0',
    REINDEX_WORKER_TOKEN: token,
    REINDEX_WORKER_DATABASE_URL: urlWithPassword(connections.sourceAddress),
    REINDEX_WORKER_SEARCH_URL: connections.targetUrl,
    ...(settings.target.username === null || targetPassword === null
      ? {}
      : {
          REINDEX_WORKER_SEARCH_USERNAME: settings.target.username,
          REINDEX_WORKER_SEARCH_PASSWORD: targetPassword,
        }),
    ...(targetApiKey === null ? {} : { REINDEX_WORKER_SEARCH_API_KEY: targetApiKey }),
    REINDEX_WORKER_DEFINITIONS: settings.definitions,
    REINDEX_WORKER_LEASE_MS: String(settings.workers.lease_ms),
    REINDEX_WORKER_EXIT_WITH_PARENT: 'true',
  };
}
