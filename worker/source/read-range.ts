import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, type ClientConfig, DatabaseError } from 'pg';
import type { DescribedDefinition, IndexDefinition, KeyRange } from '../../definition/definition.ts';
import { describeDefinition } from '../../definition/describe.ts';
import { digestTypes } from '../../definition/digest.ts';
import { copyStatement, nextKeysStatement } from '../../definition/sql.ts';
import { backoffMs } from '../bulk/backoff.ts';
import type { DeadLetter } from '../bulk/batch.ts';
import { joinInt8, readInt4, readUint4 } from '../document/bytes.ts';
import { columnCount, tooLargeReason } from '../document/row-encoder.ts';
import { TaskFailure } from '../task-failure.ts';
import { copyRows } from './copy-rows.ts';
import { describeError, faultyExpression, verdictOn } from './database-errors.ts';
import { CopyFrames } from './frames.ts';
import { KeyWindow } from './key-window.ts';
import { type Position, upTo } from './position.ts';
import { type SessionLimits, withSession } from './session.ts';

export interface ReadRequest {
  readonly definition: IndexDefinition;
  /** The digest of the columns' types that the run was planned with. */
  readonly typesDigest: string;
  /** Where reading stands; it moves with each row that is handed on, and its end may be moved down at any time. */
  readonly position: Position;
}

export interface ReadDependencies {
  readonly database: ClientConfig;
  readonly limits: ReadLimits;
  readonly signal: AbortSignal;
  /** Told when reading waits for the database, and when it no longer does. */
  readonly onWaiting: (waiting: boolean) => void;
}

export interface ReadLimits extends SessionLimits {
  /** A COPY that waits for the search cluster for longer than this is closed, and opened again when there is room. */
  readonly maxCopyStallMs: number;
}

/** Where rows go. What answers false has taken nothing, and is offered the same again after `room()`. */
export interface RowConsumer {
  /** The columns of the rows to come; they are the same each time. */
  begin(described: DescribedDefinition): void;
  /** A row of the binary COPY, `source[start, end)`. */
  take(source: Buffer, start: number, end: number): boolean;
  /** A row that cannot be read as one. */
  bury(letter: DeadLetter): boolean;
  room(signal: AbortSignal): Promise<void>;
}

/**
 * Reads what is left of a range, whatever happens: after a cut connection, a timeout or a restart it goes on behind
 * the last row that was handed on, for as long as the signal lets it. A row that breaks its own evaluation is found
 * and buried. From the moment that the position's end is moved down, no row at or behind it is handed on.
 * Rejects with a TaskFailure when no other try can help, and with the signal's reason.
 */
export async function readRange(
  request: ReadRequest,
  consumer: RowConsumer,
  dependencies: ReadDependencies,
): Promise<void> {
  const { definition, position } = request;
  const { signal, onWaiting } = dependencies;
  const window = new KeyWindow();
  let failures = 0;
  for (let rest = position.rest; rest !== null; rest = position.rest) {
    const { rows } = position;
    try {
      const finished = await readOnce(request, rest, window, consumer, dependencies);
      onWaiting(false);
      if (finished) return;
      failures = 0;
    } catch (error) {
      signal.throwIfAborted();
      const verdict = verdictOn(error, definition);
      if (verdict !== 'again')
        throw verdict === 'row' ? faultyExpression(error as DatabaseError, definition) : verdict;
      onWaiting(true);
      failures = position.rows > rows ? 1 : failures + 1;
      await pause(backoffMs(failures, Math.random()), signal);
    }
  }
  // The end may have been moved to where reading stood while it waited.
  onWaiting(false);
}

/** Rejects with the signal's reason. */
async function pause(timeoutMs: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(timeoutMs, undefined, { signal });
  } catch {
    signal.throwIfAborted();
  }
}

/** One connection, one snapshot, one COPY. True: nothing of the range is left. */
function readOnce(
  request: ReadRequest,
  rest: KeyRange,
  window: KeyWindow,
  consumer: RowConsumer,
  dependencies: ReadDependencies,
): Promise<boolean> {
  const { definition, position } = request;
  const { database, limits, signal } = dependencies;
  return withSession(database, limits, signal, async (client) => {
    const described = await describeAsPlanned(client, request);
    consumer.begin(described);
    const keys = window.keys === null ? null : await nextKeys(client, definition, rest, window.keys);
    if (keys?.lastKey === null) return true;
    const range = keys === null ? rest : upTo(rest, keys.lastKey);
    try {
      const outcome = await copyRange(client, described, range, position, consumer, dependencies);
      if (outcome === 'stalled') return false;
    } catch (error) {
      if (!(error instanceof DatabaseError) || verdictOn(error, definition) !== 'row') throw error;
      if (window.broke(keys?.rows ?? null) && keys !== null)
        await buryRow(keys.lastKey, error, position, consumer, signal);
      return false;
    }
    window.succeeded();
    if (keys !== null) position.skipTo(keys.lastKey);
    return keys === null;
  });
}

async function describeAsPlanned(
  client: Client,
  { definition, typesDigest }: ReadRequest,
): Promise<DescribedDefinition> {
  const described = await describeDefinition(client, definition);
  if (digestTypes(described) === typesDigest) return described;
  throw new TaskFailure(
    'stop',
    'columns_changed',
    `The types of the columns that the definition "${definition.name}" reads from ${definition.source.table} are no longer those that the run was planned with: begin a new run.`,
  );
}

interface NextKeys {
  readonly lastKey: bigint | null;
  readonly rows: number;
}

async function nextKeys(
  client: Client,
  definition: IndexDefinition,
  range: KeyRange,
  rows: number,
): Promise<NextKeys> {
  const result = await client.query<{ last_key: string | null; rows: string }>(
    nextKeysStatement(definition, range, rows),
  );
  const row = result.rows[0];
  const lastKey = row?.last_key ?? null;
  return { lastKey: lastKey === null ? null : BigInt(lastKey), rows: Number(row?.rows ?? 0) };
}

function copyRange(
  client: Client,
  described: DescribedDefinition,
  range: KeyRange,
  position: Position,
  consumer: RowConsumer,
  { limits, signal, onWaiting }: ReadDependencies,
): Promise<'complete' | 'stalled'> {
  const { definition } = described;
  const { maxDocumentBytes } = definition;
  const frames = new CopyFrames({ columns: columnCount(described), maxRowBytes: maxDocumentBytes });
  return copyRows(
    client,
    copyStatement(described, range),
    frames,
    {
      take(event) {
        const keyAt = frames.start + KEY_OFFSET_BYTES;
        const high = readInt4(frames.bytes, keyAt);
        const low = readUint4(frames.bytes, keyAt + 4);
        const order = position.compare(high, low);
        if (order !== 1) throw wrongOrder(order, joinInt8(high, low), definition);
        if (!position.covers(high, low)) return 'enough';
        const taken =
          event === 'row'
            ? consumer.take(frames.bytes, frames.start, frames.end)
            : consumer.bury(tooLarge(joinInt8(high, low), frames.rowBytes, maxDocumentBytes));
        if (!taken) return 'full';
        position.moveTo(high, low);
        if (frames.rows === 1) onWaiting(false);
        return 'taken';
      },
      room: () => consumer.room(signal),
    },
    limits.maxCopyStallMs,
  );
}

/** Behind the field count and the key's length. */
const KEY_OFFSET_BYTES = 6;

/** Buries it unless the end was moved to or before it meanwhile. */
async function buryRow(
  key: bigint,
  error: DatabaseError,
  position: Position,
  consumer: RowConsumer,
  signal: AbortSignal,
): Promise<void> {
  const letter: DeadLetter = {
    key,
    type: error.code ?? 'data_exception',
    reason: describeError(error),
    fields: null,
  };
  while (position.coversKey(key)) {
    if (consumer.bury(letter)) return position.moveToKey(key);
    await consumer.room(signal);
  }
}

function tooLarge(key: bigint, bytes: number, limitBytes: number): DeadLetter {
  return { key, type: 'document_too_large', reason: tooLargeReason('row', bytes, limitBytes), fields: null };
}

function wrongOrder(order: -1 | 0, key: bigint, { name, source }: IndexDefinition): TaskFailure {
  const what = `The key ${source.key} of ${source.table} (definition "${name}")`;
  return order === 0
    ? new TaskFailure(
        'stop',
        'key_not_unique',
        `${what} comes twice: ${key}. Each row must have a key of its own and come out of the joins once; mend the table, the joins or a field that returns several rows.`,
      )
    : new TaskFailure(
        'stop',
        'key_order',
        `${what} does not rise: ${key} came behind a larger one. Check the indexes of the table for corruption (REINDEX).`,
      );
}
