import { cacheDirectory } from '../../embedded/cache.ts';
import { type EmbeddedServices, useServices } from '../../embedded/services.ts';
import type { Reporter } from '../report/reporter.ts';
import { durationWords } from '../report/words.ts';
import { EMBEDDED } from '../common-settings.ts';
import type { OfflineFleet } from './offline.ts';

/** The embedded services that a command uses, and how long it took to start or find them. */
export interface UsedServices extends EmbeddedServices {
  readonly seconds: number;
}

/** Starts or finds the embedded services that the settings name. Null when they name none. */
export async function useEmbeddedServices(
  { settings, environment }: OfflineFleet,
  reporter: Reporter,
  wanted: { readonly database: boolean },
): Promise<UsedServices | null> {
  const database = wanted.database && settings.source.url === EMBEDDED;
  const search = settings.target.url === EMBEDDED;
  if (!database && !search) return null;
  const startMs = performance.now();
  reporter.phaseStarted('services');
  const services = await useServices({
    cacheDir: cacheDirectory(environment),
    database,
    search,
    onProgress: (line) => reporter.note(line),
  });
  const seconds = (performance.now() - startMs) / 1000;
  reporter.phaseFinished('services', seconds, describe(services, database));
  if (services.searchMissing !== null)
    reporter.warning(`the search node is the ${services.searchNode}: ${services.searchMissing}`);
  return { ...services, seconds };
}

function describe(services: EmbeddedServices, database: boolean): string {
  const names = [database ? 'PostgreSQL' : null, services.searchNode].filter((name) => name !== null);
  const parts = services.timings.map(({ name, ms }) => `${name} ${durationWords(ms / 1000)}`);
  const how = services.startedHere ? 'started' : 'found running';
  return `${names.join(' and ')} ${how}${parts.length === 0 ? '' : ` (${parts.join(', ')})`}`;
}
