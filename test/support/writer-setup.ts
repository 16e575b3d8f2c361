import { afterEach } from 'vitest';
import { BatchPool } from '../../worker/bulk/batch-pool.ts';
import { ClusterWriter, type ClusterWriterOptions } from '../../worker/bulk/cluster-writer.ts';
import { BulkClient } from '../../worker/bulk/send.ts';
import { addDocument } from './batches.ts';
import { type ScriptedCluster, startScriptedCluster } from './scripted-cluster.ts';

export const TARGET = {
  kind: 'bulk' as const,
  definition: 'cities',
  definition_digest: `${'a'.repeat(32)}.${'b'.repeat(32)}`,
  index: 'cities-1',
  write_alias: 'cities-1-write-1',
  dead_letter_alias: 'cities-1-dead-letters-write-1',
};

export type Script = Parameters<typeof startScriptedCluster>[1];

export interface WriterSetup {
  readonly cluster: ScriptedCluster;
  readonly writer: ClusterWriter;
  readonly end: AbortController;
}

export interface WriterChanges extends Partial<ClusterWriterOptions> {
  readonly timeoutMs?: number;
  /** Where the writer looks for the cluster; default: where the scripted one listens. */
  readonly url?: string;
}

/** Gives a function that makes a writer before a scripted cluster; all of them end with their test. */
export function writerSetups(): (script: Script, changes?: WriterChanges) => Promise<WriterSetup> {
  const ends: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });
  return async (script, { timeoutMs = 5_000, url, ...changes } = {}) => {
    const cluster = await startScriptedCluster(TARGET.index, script);
    const client = new BulkClient({
      url: url ?? cluster.url,
      authorization: 'ApiKey x',
      requestTimeoutMs: timeoutMs,
      connections: 5,
    });
    const end = new AbortController();
    const writer = new ClusterWriter({ ...defaults(), client, signal: end.signal, ...changes });
    ends.push(
      () => writer.abandon(new Error('the test is over')),
      () => client.close(),
      () => cluster.close(),
    );
    return { cluster, writer, end };
  };
}

function defaults(): Omit<ClusterWriterOptions, 'client' | 'signal'> {
  return {
    pool: new BatchPool(64 * 1024, 4),
    target: TARGET,
    keyColumn: 'id',
    keepFields: [],
    versioned: false,
    pipeline: null,
    maxBytesInFlight: 256 * 1024,
    coolDownMs: 50,
    now: () => performance.now(),
    random: () => 0,
  };
}

/** Submits batches of these many documents, with keys from 1 on, and waits for all of them. */
export async function write({ writer, end }: WriterSetup, ...sizes: number[]): Promise<void> {
  let key = 0n;
  for (const size of sizes) {
    const batch = await writer.acquire(end.signal);
    for (let i = 0; i < size; i++) addDocument(batch, ++key);
    writer.submit(batch);
  }
  await writer.finish(end.signal);
}

/** The names `<alias>/<id>` of the documents 1 to `count`. */
export function placesOf(alias: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${alias}/${i + 1}`).sort();
}

/** The documents that an alias was given, with those that were stored more than once in each stead. */
export function storedIn({ cluster }: WriterSetup, alias: string): string[] {
  const found = [...cluster.stored].filter(([name]) => name.startsWith(`${alias}/`));
  return found.flatMap(([name, times]) => Array.from({ length: times }, () => name)).sort();
}
