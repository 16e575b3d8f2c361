import type { IndexDefinition } from '../definition/definition.ts';
import { keyKindOf } from '../definition/key/kinds.ts';
import { rangeFrom } from '../definition/key/key-range.ts';
import type { TaskRequest } from './contract.ts';
import { keyBytesOf } from './key/kinds.ts';
import type { KeyBytes } from './key/key-bytes.ts';
import { type ReadingState, reindex } from './reindex.ts';
import type { WorkerSettings } from './settings.ts';
import { Position } from './source/position.ts';
import type { PlannedDefinition, ReadRequest } from './source/read-request.ts';
import type { BatchPool } from './targets/batch-pool.ts';
import type { TargetConnections } from './targets/kinds.ts';
import type { Target } from './targets/target.ts';
import { TaskWriter } from './targets/targets-writer.ts';
import type { TaskDefinitions } from './task-definitions.ts';
import type { TaskRun } from './tasks.ts';

/** What all tasks of a worker share. */
export interface TaskResources {
  readonly settings: WorkerSettings;
  readonly targets: TargetConnections;
  readonly pool: BatchPool;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
}

/** Starts a task. It brings a key range of the database to its targets. */
export function runTask(
  request: TaskRequest,
  definitions: TaskDefinitions,
  signal: AbortSignal,
  resources: TaskResources,
): TaskRun {
  const kind = keyKindOf(definitions.reading);
  const keys = keyBytesOf(kind);
  const position = new Position(
    rangeFrom(kind, { start: request.start_index, end: request.end_index }),
    keys,
  );
  const open = targetsOf({ request, definitions, keys }, resources);
  const writer = new TaskWriter(open, signal);
  const live: ReadingState = { rowsRead: 0, waitingFor: null, waitingReason: null };
  return {
    done: perform(readRequest(request, definitions, position), writer, live, resources.settings.database_url),
    lowerEnd: (end) => position.lowerEnd(end),
    inFlight: () => writer.inFlight,
    figures: () => ({
      settledThrough: writer.settledThrough,
      firstKey: writer.firstKey,
      counts: writer.counts,
      bytesSent: writer.bytesSent,
      retries: writer.retries,
      waitingFor: live.waitingFor ?? (writer.waiting ? 'cluster' : null),
      waitingReason: live.waitingReason ?? writer.trouble,
    }),
  };
}

/** Ends when no request is under way. Then the buffers are free for the next task. */
async function perform(
  reading: ReadRequest,
  writer: TaskWriter,
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

function readRequest(
  request: TaskRequest,
  { reading, targets }: TaskDefinitions,
  position: Position,
): ReadRequest {
  return {
    reading: planned(reading, request.definition_digest),
    targets: targets.map(({ target, definition }) => planned(definition, target.definition_digest)),
    position,
    changedSince: request.changed_since,
  };
}

/** A definition with the second part of its digest, see contract.ts. */
function planned(definition: IndexDefinition, digest: string): PlannedDefinition {
  const [, typesDigest = ''] = digest.split('.');
  return { definition, typesDigest };
}

interface TargetsRequest {
  readonly request: TaskRequest;
  readonly definitions: TaskDefinitions;
  readonly keys: KeyBytes;
}

/** Opens the task's targets. Each gets the same share of the batches and of the bytes in flight. */
function targetsOf(
  { request, definitions: { targets }, keys }: TargetsRequest,
  { settings, targets: connections, pool, now }: TaskResources,
): (signal: AbortSignal) => Target[] {
  const inFlight = Math.min(request.max_bytes_in_flight, settings.max_bytes_in_flight);
  const maxBytesInFlight = Math.max(1, Math.floor(inFlight / targets.length));
  return (signal) =>
    targets.map(({ target, definition }) => {
      const share = pool.share(targets.length, keys);
      return connections.open(target, { definition, keys, share, maxBytesInFlight, signal, now });
    });
}
