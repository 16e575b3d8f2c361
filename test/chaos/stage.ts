import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LiveChanges } from './changes.ts';
import { Commands } from './commands.ts';
import type { Phase, Plan } from './faults.ts';
import { Injector } from './injector.ts';
import { LOCK_LEASE_MS, WORKER_LEASE_MS } from './leases.ts';
import { type Service, startDatabase, startSearch } from './services.ts';
import type { Story } from './story.ts';
import { createTable, definitionOf } from './table.ts';
import { Victims } from './victims.ts';

export const RUN_KEY = 'chaos';
const FLEET = 'chaos';

/** All that a round consists of, each part started, nothing under way. */
export interface Stage {
  readonly folder: string;
  readonly definitionFile: string;
  readonly journal: string;
  readonly database: Service;
  readonly search: Service;
  readonly commands: Commands;
  readonly victims: Victims;
  readonly injector: Injector;
  readonly changes: LiveChanges;
  /** Ends every process that is left. */
  clear(): Promise<void>;
}

/** @param signal ends pauses and starts that are under way */
export async function setStage(
  folder: string,
  plan: Plan,
  story: Story,
  signal: AbortSignal,
): Promise<Stage> {
  const { database, search } = await startServices(folder, signal);
  const settingsFile = join(folder, 'reindex-fleet.yaml');
  const definitionFile = join(folder, 'things.yaml');
  const onPhase = (phase: Phase): void => {
    injector.phaseBegan(phase);
    changes.phaseBegan(phase);
  };
  const commands = new Commands({
    folder,
    args: ['run', '--settings', settingsFile, '--run-key', RUN_KEY],
    story,
    onPhase,
  });
  const victims = new Victims({ database, search, commands, definitionFile, story, signal });
  const injector = new Injector(plan, victims, story);
  const changes = new LiveChanges(plan.changes, plan.seed, database, story);
  const clear = async (): Promise<void> => {
    await Promise.all([commands.end(), injector.end()]);
    await changes.end();
    await Promise.all([database.end(), search.end()]);
  };
  const stage = {
    folder,
    definitionFile,
    journal: join(folder, 'journal', FLEET),
    database,
    search,
    commands,
    victims,
    injector,
    changes,
    clear,
  };
  try {
    await createTable(database.url, plan.seed, plan.table);
    await writeFile(definitionFile, JSON.stringify(definitionOf(plan.table), null, 2));
    await writeFile(settingsFile, JSON.stringify(settingsOf(plan, stage), null, 2));
    return stage;
  } catch (error) {
    await clear();
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

/** Every deadline is short, so that pauses outlast them; tries are many, for bad luck alone must not end a run. */
function settingsOf({ workers, ranges }: Plan, { database, search }: Stage): object {
  return {
    fleet: FLEET,
    definitions: 'things.yaml',
    source: { url: database.proxy.url },
    target: { url: search.proxy.url, health_timeout_ms: 60_000 },
    journal: { directory: 'journal', lease_ms: LOCK_LEASE_MS },
    workers: {
      count: workers,
      max_bytes_in_flight: workers * 1024 * 1024,
      poll_interval_ms: 100,
      call_timeout_ms: 2_000,
      ready_timeout_ms: 45_000,
      lost_after_ms: 4_000,
      stall_timeout_ms: 20_000,
      waiting_timeout_ms: 180_000,
      lease_ms: WORKER_LEASE_MS,
      replacements: 100,
      attempts: 10,
    },
    ranges: { count: ranges },
  };
}
