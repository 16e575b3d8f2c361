import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plan } from './faults.ts';
import { LOCK_LEASE_MS, WORKER_LEASE_MS } from './leases.ts';
import { type Service, startDatabase, startSearch } from './services.ts';
import { createTable, definitionOf } from './table.ts';

const FLEET = 'chaos';

/** What the runs of a round share: a database with its table, a search node, settings and a definition. */
export interface Stage {
  readonly folder: string;
  readonly settingsFile: string;
  readonly definitionFile: string;
  /** The journal of the fleet. */
  readonly journal: string;
  readonly database: Service;
  readonly search: Service;
  /** Ends both services. */
  clear(): Promise<void>;
}

/** @param signal ends starts that are under way */
export async function setStage(folder: string, plan: Plan, signal: AbortSignal): Promise<Stage> {
  const { database, search } = await startServices(folder, signal);
  const stage: Stage = {
    folder,
    settingsFile: join(folder, 'reindex-fleet.yaml'),
    definitionFile: join(folder, 'things.yaml'),
    journal: join(folder, 'journal', FLEET),
    database,
    search,
    clear: async () => void (await Promise.all([database.end(), search.end()])),
  };
  try {
    await createTable(database.url, plan.seed, plan.table);
    await writeFile(stage.definitionFile, JSON.stringify(definitionOf(plan.table), null, 2));
    await writeFile(stage.settingsFile, JSON.stringify(settingsOf(plan, stage), null, 2));
    return stage;
  } catch (error) {
    await stage.clear();
    throw error;
  }
}

async function startServices(
  folder: string,
  signal: AbortSignal,
): Promise<{ database: Service; search: Service }> {
  const [database, search] = await Promise.allSettled([
    startDatabase(folder, signal),
    startSearch(folder, signal),
  ]);
  if (database.status === 'fulfilled' && search.status === 'fulfilled')
    return { database: database.value, search: search.value };
  const reasons: unknown[] = [];
  for (const service of [database, search]) {
    if (service.status === 'fulfilled') await service.value.end();
    else reasons.push(service.reason);
  }
  throw reasons[0];
}

/** Every deadline is short, so that pauses outlast it. Attempts are many, so that bad luck alone ends no run. */
function settingsOf({ workers, ranges }: Plan, { database, search }: Stage): object {
  return {
    fleet: FLEET,
    definitions: 'things.yaml',
    source: { url: database.proxy.url },
    target: { url: search.proxy.url, health_timeout_ms: 60_000 },
    journal: { url: 'journal', lease_ms: LOCK_LEASE_MS },
    workers: {
      count: workers,
      max_bytes_in_flight: workers * 1024 * 1024,
      call_timeout_ms: 2_000,
      lost_after_ms: 4_000,
      stall_timeout_ms: 20_000,
      waiting_timeout_ms: 180_000,
      replacements: 100,
      attempts: 10,
    },
    local: { poll_interval_ms: 100, ready_timeout_ms: 45_000, lease_ms: WORKER_LEASE_MS },
    ranges: { count: ranges },
  };
}
