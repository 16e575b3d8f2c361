import type pg from 'pg';
import type { DescribedDefinition } from '../../definition/definition.ts';
import { messageOf, RunFailed } from '../errors.ts';
import type { ChangesSource } from '../index/changes-source.ts';
import { SearchCluster } from '../index/cluster.ts';
import { openChangesSource } from '../index/postgresql-changes.ts';
import { openValidationSource } from '../index/postgresql-source.ts';
import type { SearchCalls } from '../index/search-calls.ts';
import type { UseClient } from '../index/source-query.ts';
import type { ValidationSource } from '../index/validation-source.ts';
import type { Reporter } from '../report/reporter.ts';
import type { Settings } from '../settings.ts';
import { sourceAddressOf, targetCredentialsOf } from './credentials.ts';
import { type UsedServices, useEmbeddedServices } from './embedded-services.ts';
import type { Offline, OfflineFleet } from './offline.ts';
import { connectSource, openSourcePool, type SourceAddress } from './source-connection.ts';

/** What a command needs to speak to the search cluster. */
export interface Connections {
  readonly cluster: SearchCalls;
  readonly services: UsedServices | null;
  /** The cluster's URL that workers and people use. */
  readonly targetUrl: string;
  close(): Promise<void>;
}

export interface SourceConnections extends Connections {
  readonly sourceAddress: SourceAddress;
  /** Does some work with a new connection to the database. A run lasts longer than one connection may. */
  withSource<T>(work: (client: pg.Client) => Promise<T>): Promise<T>;
  /** Does some work with the table as validation sees it, over as many connections as the settings allow. */
  withValidationSource<T>(
    described: DescribedDefinition,
    work: (source: ValidationSource) => Promise<T>,
  ): Promise<T>;
  /** Does some work with what the database says of changes, over as many connections as the settings allow. */
  withChangesSource<T>(
    described: DescribedDefinition,
    work: (source: ChangesSource) => Promise<T>,
  ): Promise<T>;
}

/** Connects a command that needs no database. */
export async function connectTarget(offline: OfflineFleet, reporter: Reporter): Promise<Connections> {
  const services = await useEmbeddedServices(offline, reporter, { database: false });
  try {
    const cluster = await connectCluster(offline, services, reporter);
    tellEngine(cluster, reporter);
    return connectionsOf(offline, services, cluster);
  } catch (error) {
    await services?.stop();
    throw error;
  }
}

/** A person waits for a command that only asks. It says soon that the cluster does not answer as it should. */
const ASKING_PATIENCE_MS = 10_000;

/**
 * Starts or finds the embedded services that the settings name, and connects to database and cluster. If both fail,
 * both are named.
 *
 * @param purpose `asking` for a command that only asks, so that a person hears of a cluster's trouble soon
 */
export async function connectBoth(
  offline: Offline,
  reporter: Reporter,
  purpose: 'asking' | 'running' = 'running',
): Promise<SourceConnections> {
  const longestMs = purpose === 'asking' ? ASKING_PATIENCE_MS : Number.POSITIVE_INFINITY;
  const services = await useEmbeddedServices(offline, reporter, { database: true });
  const [source, cluster] = await Promise.allSettled([
    findSource(offline.settings, services),
    connectCluster(offline, services, reporter, longestMs),
  ]);
  if (source.status === 'fulfilled' && cluster.status === 'fulfilled') {
    tellEngine(cluster.value, reporter);
    const sourceAddress = source.value;
    const withPool = <T>(work: (use: UseClient) => Promise<T>): Promise<T> =>
      withSourcePool(sourceAddress, offline.settings.validate.concurrency, work);
    return {
      ...connectionsOf(offline, services, cluster.value),
      sourceAddress,
      withSource: (work) => withSource(sourceAddress, work),
      withValidationSource: (described, work) =>
        withPool((use) => work(openValidationSource(use, described))),
      withChangesSource: (described, work) => withPool((use) => work(openChangesSource(use, described))),
    };
  }
  if (cluster.status === 'fulfilled') await cluster.value.close();
  await services?.stop();
  const faults = [source, cluster].flatMap((result) =>
    result.status === 'rejected' ? [messageOf(result.reason)] : [],
  );
  throw new RunFailed(faults.join('\n'));
}

async function withSource<T>(address: SourceAddress, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await connectSource(address);
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

async function withSourcePool<T>(
  address: SourceAddress,
  connections: number,
  work: (use: UseClient) => Promise<T>,
): Promise<T> {
  const pool = openSourcePool(address, connections);
  try {
    return await work(pool.use);
  } finally {
    await pool.close();
  }
}

/** Finds the database's address by connecting to it. */
async function findSource(settings: Settings, services: UsedServices | null): Promise<SourceAddress> {
  const embedded = services?.databaseUrl ?? null;
  const address = embedded === null ? await sourceAddressOf(settings) : { url: embedded, password: null };
  await withSource(address, () => Promise.resolve());
  return address;
}

function connectionsOf(
  { settings }: OfflineFleet,
  services: UsedServices | null,
  cluster: SearchCluster,
): Connections {
  return {
    cluster,
    services,
    targetUrl: targetUrlOf(settings, services),
    close: async () => {
      await cluster.close();
      await services?.stop();
    },
  };
}

function targetUrlOf({ target }: Settings, services: UsedServices | null): string {
  return services?.searchUrl ?? target.url;
}

async function connectCluster(
  { settings }: Pick<Offline, 'settings'>,
  services: UsedServices | null,
  reporter: Reporter,
  longestMs = Number.POSITIVE_INFINITY,
): Promise<SearchCluster> {
  const credentials = await targetCredentialsOf(settings);
  return SearchCluster.connect({
    url: targetUrlOf(settings, services),
    ...credentials,
    waitingTimeoutMs: Math.min(settings.target.waiting_timeout_ms, longestMs),
    onWait: (words) => reporter.note(words),
  });
}

function tellEngine({ engine }: SearchCluster, reporter: Reporter): void {
  for (const warning of engine.warnings) reporter.warning(warning);
}
