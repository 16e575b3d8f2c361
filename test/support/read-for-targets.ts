import type { ClientConfig } from 'pg';
import { describeDefinition } from '../../definition/describe.ts';
import type { IndexDefinition } from '../../definition/definition.ts';
import { digestTypes } from '../../definition/digest.ts';
import type { KeyRange } from '../../definition/key/key-range.ts';
import { INTEGER_KEY_BYTES } from '../../worker/key/integer-bytes.ts';
import { reindex } from '../../worker/reindex.ts';
import type { PlannedDefinition } from '../../worker/source/read-request.ts';
import { BatchPool } from '../../worker/targets/batch-pool.ts';
import { TaskWriter } from '../../worker/targets/targets-writer.ts';
import { CollectingTarget } from './collecting-target.ts';
import { positionIn, withClient } from './read-all.ts';

export interface ReadForTargetsOptions {
  readonly range?: KeyRange;
  readonly capacityBytes?: number;
  /** Batches of the pool. */
  readonly batches?: number;
  /** Told what it writes to before it begins. */
  readonly prepare?: (made: ReadForTargets) => void;
}

export interface ReadForTargets {
  readonly writer: TaskWriter;
  readonly targets: readonly CollectingTarget[];
}

/** Reads once for several definitions. Each has a target that keeps its documents. */
export async function readForTargets(
  database: ClientConfig,
  reading: IndexDefinition,
  definitions: readonly IndexDefinition[],
  options: ReadForTargetsOptions = {},
): Promise<ReadForTargets> {
  const { range = { start: null, end: null }, capacityBytes = 1024 * 1024, batches = 4 } = options;
  const pool = new BatchPool(capacityBytes, batches);
  const targets = definitions.map(
    () => new CollectingTarget(pool.share(definitions.length, INTEGER_KEY_BYTES)),
  );
  const writer = new TaskWriter(() => targets, new AbortController().signal);
  options.prepare?.({ writer, targets });
  const planned = (definition: IndexDefinition): Promise<PlannedDefinition> =>
    withClient(database, async (client) => ({
      definition,
      typesDigest: digestTypes(await describeDefinition(client, definition)),
    }));
  const request = {
    reading: await planned(reading),
    targets: await Promise.all(definitions.map(planned)),
    position: positionIn(range),
  };
  try {
    const live = { rowsRead: 0, waitingFor: null };
    await reindex(request, { database, writer, signal: writer.signal, live });
  } catch (error) {
    await writer.abandon(error);
    throw error;
  }
  return { writer, targets };
}
