import { afterEach } from 'vitest';
import { BatchPool } from '../../worker/targets/batch-pool.ts';
import { BulkTarget, type BulkTargetOptions } from '../../worker/targets/bulk/bulk-target.ts';
import { BulkClient } from '../../worker/targets/bulk/send.ts';
import type { TargetCounts } from '../../worker/targets/settlement.ts';
import { TaskWriter } from '../../worker/targets/targets-writer.ts';
import { INTEGER_KEY_BYTES } from '../../worker/key/integer-bytes.ts';
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
  readonly writer: TaskWriter;
  readonly end: AbortController;
}

export interface WriterChanges extends Partial<BulkTargetOptions> {
  readonly timeoutMs?: number;
  /** Where the writer looks for the cluster; default: where the scripted one listens. */
  readonly url?: string;
}

/** Returns a function that makes a writer to a scripted cluster. Each writer ends with its test. */
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
    const open = (signal: AbortSignal): BulkTarget[] => [
      new BulkTarget({ ...defaults(), client, signal, ...changes }),
    ];
    const writer = new TaskWriter(open, end.signal);
    ends.push(
      () => writer.abandon(new Error('the test is over')),
      () => client.close(),
      () => cluster.close(),
    );
    return { cluster, writer, end };
  };
}

function defaults(): Omit<BulkTargetOptions, 'client' | 'signal'> {
  return {
    share: new BatchPool(64 * 1024, 4).share(1, INTEGER_KEY_BYTES),
    names: TARGET,
    keys: INTEGER_KEY_BYTES,
    keyColumn: 'id',
    fields: ['name'],
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
    const stretch = await writer.acquire(end.signal);
    for (let i = 0; i < size; i++) addDocument(stretch, ++key);
    writer.submit(stretch);
  }
  await writer.finish(end.signal);
}

/** What the writer has settled of its only target. */
export function countsOf({ writer }: WriterSetup): TargetCounts & { readonly rowsRead: number } {
  const [counts] = writer.counts.targets;
  if (counts === undefined) throw new Error('no target');
  return { rowsRead: writer.counts.rowsRead, ...counts };
}

/** The names `<alias>/<id>` of the documents 1 to `count`. */
export function placesOf(alias: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${alias}/${i + 1}`).sort();
}

/** The documents that an alias got. A document that was stored more than once is in it as often. */
export function storedIn({ cluster }: WriterSetup, alias: string): string[] {
  const found = [...cluster.stored].filter(([name]) => name.startsWith(`${alias}/`));
  return found.flatMap(([name, times]) => Array.from({ length: times }, () => name)).sort();
}
