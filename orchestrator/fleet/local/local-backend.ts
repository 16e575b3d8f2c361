import { randomBytes } from 'node:crypto';
import type { CommonSettings } from '../../common-settings.ts';
import type { FleetBackend, FleetPass, FleetTiming, PassWorkers } from '../fleet-backend.ts';
import { WorkerClient } from '../worker-client.ts';
import { LocalFleet } from './local-fleet.ts';
import { LOCAL_PIN } from './pin.ts';
import type { LocalSettings } from './settings.ts';

/**
 * Worker processes on this machine, which end with this process. So there is nothing to check, and nothing is left
 * behind. Each new handle of a run's fleet launches as many workers as the run's journal wants.
 */
export function localBackend(section: LocalSettings, common: CommonSettings): FleetBackend {
  const timing = localTiming(section);
  return {
    check: () => Promise.resolve({ pin: LOCAL_PIN, warnings: [] }),
    open: (pass) => Promise.resolve(openLocalWorkers(section, common, pass)),
    openFleet: () => {
      const nobody = { run: '', epoch: 0, pass: 0, desired: 0, isAccountedFor: false, environment: {} };
      return Promise.resolve({ fleet: new LocalFleet(nobody), timing });
    },
  };
}

/** A view of local processes is exact, and a call has taken effect when it returns. A process takes seconds to end. */
function localTiming({ ready_timeout_ms: readyTimeoutMs }: LocalSettings): FleetTiming {
  return {
    zeroQuietMs: 0,
    terminateTimeoutMs: 15_000,
    readyTimeoutMs,
    // A process that this machine cannot start now does not start later either.
    capacityTimeoutMs: readyTimeoutMs,
  };
}

/** Opens the workers of a pass, with a token of their own. */
function openLocalWorkers(section: LocalSettings, common: CommonSettings, pass: FleetPass): PassWorkers {
  const { workers, price } = common;
  const { run, epoch, state } = pass;
  const token = randomBytes(24).toString('hex');
  const fleet = new LocalFleet({
    run,
    epoch,
    pass: pass.pass,
    // A run may be carried on with fewer workers than it began with, and nothing would end the surplus.
    desired: Math.min(state().desired, workers.count),
    isAccountedFor: price !== null,
    environment: workerEnvironment(section, common, { ...pass, token }),
  });
  const calls = new WorkerClient({ run, epoch, token, timeoutMs: workers.call_timeout_ms });
  return {
    fleet,
    calls,
    timing: localTiming(section),
    pauseMs: () => section.poll_interval_ms,
    close: async () => void (await Promise.all([fleet.close(), calls.close()])),
  };
}

function workerEnvironment(
  { lease_ms: leaseMs }: LocalSettings,
  { secrets, target, definitions }: CommonSettings,
  { token, sourceUrl, targetUrl }: Pick<FleetPass, 'sourceUrl' | 'targetUrl'> & { readonly token: string },
): Record<string, string> {
  const { targetPassword, targetApiKey } = secrets;
  return {
    REINDEX_WORKER_HOST: '127.0.0.1',
    REINDEX_WORKER_PORT: '0',
    REINDEX_WORKER_TOKEN: token,
    REINDEX_WORKER_DATABASE_URL: sourceUrl,
    REINDEX_WORKER_SEARCH_URL: targetUrl,
    ...(target.username === null || targetPassword === null
      ? {}
      : { REINDEX_WORKER_SEARCH_USERNAME: target.username, REINDEX_WORKER_SEARCH_PASSWORD: targetPassword }),
    ...(targetApiKey === null ? {} : { REINDEX_WORKER_SEARCH_API_KEY: targetApiKey }),
    REINDEX_WORKER_DEFINITIONS: definitions,
    REINDEX_WORKER_LEASE_MS: String(leaseMs),
    REINDEX_WORKER_EXIT_WITH_PARENT: 'true',
  };
}
