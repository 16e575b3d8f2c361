import type { IndexDefinition } from '../definition/definition.ts';
import type { BatchPool } from './bulk/batch-pool.ts';
import { ClusterWriter } from './bulk/cluster-writer.ts';
import type { BulkClient } from './bulk/send.ts';
import type { TaskRequest } from './contract.ts';
import { type ReadingState, reindex } from './reindex.ts';
import type { WorkerSettings } from './settings.ts';
import { Position } from './source/position.ts';
import type { ReadRequest } from './source/read-range.ts';
import type { TaskRun } from './tasks.ts';

/** What all tasks of a worker share. */
export interface TaskResources {
  readonly settings: WorkerSettings;
  readonly client: BulkClient;
  readonly pool: BatchPool;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
}

/** Starts a task: from its key range in the database to its target in the search cluster. */
export function runTask(
  request: TaskRequest,
  definition: IndexDefinition,
  signal: AbortSignal,
  resources: TaskResources,
): TaskRun {
  const writer = createWriter(request, definition, signal, resources);
  const reading = readingOf(request, definition);
  const live: ReadingState = { rowsRead: 0, waitingFor: null };
  return {
    done: perform(reading, writer, live, resources.settings.database_url),
    lowerEnd: (end) => reading.position.lowerEnd(end),
    figures: () => ({
      settledThrough: writer.settledThrough,
      firstKey: writer.firstKey,
      counts: writer.counts,
      bytesSent: writer.bytesSent,
      retries: writer.retries,
      waitingFor: live.waitingFor ?? (writer.waiting ? 'cluster' : null),
    }),
  };
}

/** Ends with no request under way, so that the buffers are free for the next task. */
async function perform(
  reading: ReadRequest,
  writer: ClusterWriter,
  live: ReadingState,
  databaseUrl: string,
): Promise<void> {
  const database = { connectionString: databaseUrl, application_name: 'reindex-fleet worker' };
  try {
    await reindex(reading, { database, writer, signal: writer.signal, live });
  } catch (error) {
    await writer.abandon(error);
    throw error;
  }
}

function readingOf(request: TaskRequest, definition: IndexDefinition): ReadRequest {
  const [, typesDigest = ''] = request.definition_digest.split('.');
  const range = { start: keyOf(request.start_index), end: keyOf(request.end_index) };
  return { definition, typesDigest, position: new Position(range) };
}

function keyOf(text: string | null): bigint | null {
  return text === null ? null : BigInt(text);
}

function createWriter(
  { targets: [target], max_bytes_in_flight: share }: TaskRequest,
  definition: IndexDefinition,
  signal: AbortSignal,
  { settings, client, pool, now }: TaskResources,
): ClusterWriter {
  if (target === undefined) throw new RangeError('A task has exactly one target.');
  return new ClusterWriter({
    client,
    pool,
    target,
    keyColumn: definition.source.key,
    keepFields: definition.deadLetters.keepFields,
    versioned: definition.source.changedAt !== null,
    pipeline: definition.pipeline,
    maxBytesInFlight: Math.min(share, settings.max_bytes_in_flight),
    coolDownMs: settings.cool_down_ms,
    signal,
    now,
    random: Math.random,
  });
}
