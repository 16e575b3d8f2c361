import type pg from 'pg';
import { buildDigest } from '../../definition/build.ts';
import { digestDefinition } from '../../definition/digest.ts';
import { Faults } from '../../definition/faults.ts';
import { type LoadedDefinition, loadDefinitionsWithPositions } from '../../definition/load.ts';
import { cacheDirectory } from '../../embedded/cache.ts';
import { type EmbeddedServices, useServices } from '../../embedded/services.ts';
import { messageOf, RunFailed } from '../errors.ts';
import { SearchCluster } from '../index/cluster.ts';
import { openFileStore } from '../journal/file-store.ts';
import type { JournalStore } from '../journal/store.ts';
import type { Reporter } from '../report/reporter.ts';
import { durationWords } from '../report/words.ts';
import { EMBEDDED, type Environment, type Settings } from '../settings.ts';
import { journalFolder } from './journal-folder.ts';
import { connectSource, type SourceAddress } from './source-connection.ts';

/** What a command knows without any network: settings, its definition, the journal. */
export interface Offline {
  readonly settings: Settings;
  readonly loaded: LoadedDefinition;
  readonly definitionDigest: string;
  readonly build: string;
  readonly store: JournalStore;
  readonly environment: Environment;
}

/** Reads everything that can be read offline. Throws `Faults` (exit 2) with everything that is wrong. */
export async function openOffline(settings: Settings, environment: Environment): Promise<Offline> {
  const definitions = await loadDefinitionsWithPositions(settings.definitions);
  const loaded = pickDefinition(definitions, settings);
  return {
    settings,
    loaded,
    definitionDigest: digestDefinition(loaded.definition),
    build: await buildDigest(definitions.map(({ definition }) => definition)),
    store: openFileStore(journalFolder(settings, environment)),
    environment,
  };
}

function pickDefinition(definitions: readonly LoadedDefinition[], settings: Settings): LoadedDefinition {
  const names = definitions.map(({ definition }) => definition.name);
  const [only, ...others] = definitions;
  const picked = settings.definition === null && others.length === 0 ? only : definitions.find(({ definition }) => definition.name === settings.definition);
  if (picked !== undefined) return picked;
  const message =
    settings.definition === null
      ? `Say which of the definitions to run (${names.join(', ')}): definition: … here, or --definition. A run rebuilds one index.`
      : `There is no definition "${settings.definition}" in ${settings.definitions}; there are ${names.join(', ')}.`;
  throw new Faults([{ file: settings.file, line: null, column: null, path: 'definition', message }]);
}

export interface Connections {
  readonly cluster: SearchCluster;
  readonly services: EmbeddedServices | null;
  readonly targetUrl: string;
  close(): Promise<void>;
}

export interface SourceConnections extends Connections {
  readonly source: pg.Client;
  readonly sourceAddress: SourceAddress;
}

/** Starts or finds the embedded services that the settings name, and connects to database and cluster. */
export async function connectBoth(offline: Offline, reporter: Reporter): Promise<SourceConnections> {
  const { settings } = offline;
  const services = await embeddedServices(offline, reporter, settings.source.url === EMBEDDED);
  try {
    const embeddedSource = settings.source.url === EMBEDDED ? services : null;
    const sourceAddress: SourceAddress =
      embeddedSource === null
        ? { url: settings.source.url, password: settings.secrets.sourcePassword }
        : { url: embeddedSource.databaseUrl ?? '', password: null };
    const [source, cluster] = await Promise.allSettled([connectSource(sourceAddress), connectCluster(offline, services)]);
    if (source.status === 'fulfilled' && cluster.status === 'fulfilled') {
      return {
        source: source.value,
        sourceAddress,
        cluster: cluster.value,
        services,
        targetUrl: targetUrlOf(settings, services),
        close: async () => {
          await Promise.allSettled([source.value.end(), cluster.value.close()]);
          await services?.stop();
        },
      };
    }
    if (source.status === 'fulfilled') await source.value.end();
    if (cluster.status === 'fulfilled') await cluster.value.close();
    const faults = [source, cluster].flatMap((result) => (result.status === 'rejected' ? [messageOf(result.reason)] : []));
    throw new RunFailed(faults.join('\n'));
  } catch (error) {
    await services?.stop();
    throw error;
  }
}

/** For commands that need no database. */
export async function connectTarget(offline: Offline, reporter: Reporter): Promise<Connections> {
  const services = await embeddedServices(offline, reporter, false);
  try {
    const cluster = await connectCluster(offline, services);
    return {
      cluster,
      services,
      targetUrl: targetUrlOf(offline.settings, services),
      close: async () => {
        await cluster.close();
        await services?.stop();
      },
    };
  } catch (error) {
    await services?.stop();
    throw error;
  }
}

function targetUrlOf(settings: Settings, services: EmbeddedServices | null): string {
  return settings.target.url === EMBEDDED ? (services?.searchUrl ?? '') : settings.target.url;
}

async function connectCluster({ settings }: Offline, services: EmbeddedServices | null): Promise<SearchCluster> {
  const { targetPassword, targetApiKey } = settings.secrets;
  return SearchCluster.connect({
    url: targetUrlOf(settings, services),
    username: settings.target.username,
    password: targetPassword,
    apiKey: targetApiKey,
  });
}

async function embeddedServices(
  { settings, environment }: Offline,
  reporter: Reporter,
  database: boolean,
): Promise<EmbeddedServices | null> {
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
  const how = services.startedHere ? 'started' : 'found running';
  const parts = services.timings.map(({ name, ms }) => `${name} ${durationWords(ms / 1000)}`);
  const what = [database ? 'PostgreSQL' : null, services.searchNode].filter((name) => name !== null).join(' and ');
  reporter.phaseFinished('services', (performance.now() - startMs) / 1000, `${what} ${how}${parts.length === 0 ? '' : ` (${parts.join(', ')})`}`);
  if (services.searchMissing !== null) {
    reporter.warning(`the search node is ${services.searchNode}: ${services.searchMissing}`);
  }
  return services;
}
