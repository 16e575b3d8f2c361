import type { ClientConfig } from 'pg';
import { type ReadLimits, readRange } from './source/read-range.ts';
import type { ReadRequest } from './source/read-request.ts';
import { DEFAULT_SESSION_LIMITS } from './source/session.ts';
import { MAX_STRETCH_AGE_MS, StretchFiller } from './targets/stretch-filler.ts';
import type { TargetsWriter } from './targets/targets-writer.ts';

export interface ReindexDependencies {
  readonly database: ClientConfig;
  /** Its batches must have room for the largest document of any target and its framing. */
  readonly writer: TargetsWriter;
  readonly signal: AbortSignal;
  readonly limits?: Partial<ReadLimits>;
  /** Written while the task runs. */
  readonly live: ReadingState;
}

/** The state of the reading. A row counts as read when it is handed on, settled or not. */
export interface ReadingState {
  rowsRead: number;
  waitingFor: 'database' | null;
  /** Why it waits, as a clause. */
  waitingReason?: string | null;
}

const DEFAULT_LIMITS: ReadLimits = { ...DEFAULT_SESSION_LIMITS, maxCopyStallMs: 60_000 };

/**
 * Reads a range, encodes its rows for each target and hands them to the writer; resolves when all of them are settled.
 * Rejects with a TaskFailure, or with the signal's reason when that ended it.
 */
export async function reindex(request: ReadRequest, dependencies: ReindexDependencies): Promise<void> {
  const { position } = request;
  const { database, writer, signal, live } = dependencies;
  const limits = { ...DEFAULT_LIMITS, ...dependencies.limits };
  const stretches = new StretchFiller(writer, position);
  const clock = setInterval(() => {
    stretches.closeIfOld();
    live.rowsRead = position.rows;
  }, MAX_STRETCH_AGE_MS / 4);
  const onWaiting = (reason: string | null): void => {
    live.waitingFor = reason === null ? null : 'database';
    live.waitingReason = reason;
  };
  try {
    await readRange(request, stretches, { database, limits, signal, onWaiting });
  } finally {
    clearInterval(clock);
    stretches.close();
    live.rowsRead = position.rows;
  }
  await writer.finish(signal);
}
