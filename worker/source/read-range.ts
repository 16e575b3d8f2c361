import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, type ClientConfig, DatabaseError } from 'pg';
import { changedSinceCondition } from '../../definition/changed-since.ts';
import type { IndexDefinition } from '../../definition/definition.ts';
import { type Key, keyFrom } from '../../definition/key/key-kind.ts';
import type { KeyRange } from '../../definition/key/key-range.ts';
import { copyStatement, nextKeysStatement } from '../../definition/sql.ts';
import { backoffMs } from '../backoff.ts';
import type { DeadLetter } from '../dead-letter.ts';
import { TaskFailure } from '../task-failure.ts';
import { copyRows } from './copy-rows.ts';
import { brokenRowWords } from './broken-row.ts';
import {
  faultyExpression,
  isPassing,
  mayBeOfRow,
  unstableExpression,
  verdictOn,
  waitingWords,
} from './database-errors.ts';
import { examineRow, type Examination } from './examine-row.ts';
import { CopyFrames } from './frames.ts';
import { KeyWindow } from './key-window.ts';
import { upTo } from './position.ts';
import {
  type DescribedReading,
  describeReading,
  maxRowBytes,
  type ReadRequest,
  rowLayout,
} from './read-request.ts';
import { columnCount, headBytes, Row } from './row.ts';
import { type SessionLimits, withSession } from './session.ts';

export interface ReadDependencies {
  readonly database: ClientConfig;
  readonly limits: ReadLimits;
  readonly signal: AbortSignal;
  /** Called with the reason when reading begins to wait for the database, and with null when it no longer waits. */
  readonly onWaiting: (reason: string | null) => void;
}

/** An error that passes by itself, as its code says, is looked into after so many tries without any row. */
const TRIES_BEFORE_NARROWING = 3;
/** So many rows may break at one time and not at the next, as rows do that change meanwhile. */
const MOST_UNSTABLE_ROWS = 10;

export interface ReadLimits extends SessionLimits {
  /** A COPY that waits for the search cluster for longer than this is closed, and opened again when there is room. */
  readonly maxCopyStallMs: number;
}

/** Where rows go. If a method returns false, it has taken nothing, and gets the same row again after `room()`. */
export interface RowConsumer {
  /** The columns of the rows to come; they are the same each time. */
  begin(described: DescribedReading): void;
  /** A row of the binary COPY. */
  take(row: Row): boolean;
  /** A row over the limit. It has this many bytes, and only its head is there. */
  buryOversized(row: Row, bytes: number): boolean;
  /**
   * A row that breaks its own evaluation.
   * @param kept which conditions of the reading hold for it; null: it has none, or they break too
   */
  bury(letter: DeadLetter, kept: readonly boolean[] | null): boolean;
  room(signal: AbortSignal): Promise<void>;
}

/**
 * Reads the rest of a range. After a cut connection, a timeout or a restart it goes on behind the last row that was handed
 * on, until the signal is aborted. It finds a row that breaks its own evaluation, whatever the error, and buries it. When the position's end has
 * moved down, it hands on no row at or behind the new end.
 * It rejects with a TaskFailure if another try cannot help, and with the signal's reason.
 */
export async function readRange(
  request: ReadRequest,
  consumer: RowConsumer,
  dependencies: ReadDependencies,
): Promise<void> {
  const { position } = request;
  const { definition } = request.reading;
  const { signal, onWaiting } = dependencies;
  const once = new ReadOnce(request, consumer, dependencies);
  let failures = 0;
  for (let rest = position.rest; rest !== null; rest = position.rest) {
    const { rows } = position;
    try {
      const finished = await once.read(rest, failures >= TRIES_BEFORE_NARROWING);
      onWaiting(null);
      if (finished) return;
      failures = 0;
    } catch (error) {
      signal.throwIfAborted();
      const verdict = verdictOn(error, definition);
      if (verdict !== 'again') throw verdict;
      onWaiting(waitingWords(error, lastKeyOf(position)));
      failures = position.rows > rows ? 1 : failures + 1;
      await pause(backoffMs(failures, Math.random()), signal);
    }
  }
  // The end may have been moved to where reading stood while it waited.
  onWaiting(null);
}

function lastKeyOf({ keys, lastKey }: ReadRequest['position']): string | null {
  return lastKey === null ? null : keys.kind.format(lastKey);
}

/** Rejects with the signal's reason. */
async function pause(timeoutMs: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(timeoutMs, undefined, { signal });
  } catch {
    signal.throwIfAborted();
  }
}

/** One connection, one snapshot, one COPY at a time. */
class ReadOnce {
  readonly #request: ReadRequest;
  readonly #consumer: RowConsumer;
  readonly #dependencies: ReadDependencies;
  readonly #window = new KeyWindow();
  /** A row that broke a COPY alone. */
  #suspect: Suspect | null = null;
  /** Errors that are known to come with single rows, and not with all. */
  readonly #ofSingleRows = new Set<string>();
  #unstableRows = 0;

  constructor(request: ReadRequest, consumer: RowConsumer, dependencies: ReadDependencies) {
    this.#request = request;
    this.#consumer = consumer;
    this.#dependencies = dependencies;
  }

  /**
   * Reads on. True: nothing of the range is left.
   * @param comesBack whether the same error ended the last tries
   */
  read(rest: KeyRange, comesBack: boolean): Promise<boolean> {
    const { database, limits, signal } = this.#dependencies;
    return withSession(database, limits, signal, (client) => this.#readWith(client, rest, comesBack));
  }

  async #readWith(client: Client, rest: KeyRange, comesBack: boolean): Promise<boolean> {
    const { position } = this.#request;
    const described = await describeReading(client, this.#request);
    this.#consumer.begin(described);
    if (this.#suspect !== null) return this.#lookInto(client, described, this.#suspect);
    const keys = this.#window.keys === null ? null : await this.#nextKeys(client, rest, this.#window.keys);
    if (keys?.lastKey === null) return true;
    const range = keys === null ? rest : upTo(position.keys.kind, rest, keys.lastKey);
    try {
      const outcome = await this.#copy(client, described, range);
      if (outcome === 'stalled') return false;
    } catch (error) {
      const narrowing = comesBack || this.#window.keys !== null;
      if (!(error instanceof DatabaseError) || !mayBeOfRow(error, narrowing)) throw error;
      if (this.#window.broke(keys?.rows ?? null) && keys !== null)
        this.#suspect = { key: keys.lastKey, error };
      return false;
    }
    this.#window.succeeded();
    if (keys !== null) position.skipTo(keys.lastKey);
    return keys === null;
  }

  async #nextKeys(client: Client, range: KeyRange, rows: number): Promise<NextKeys> {
    const { reading, position } = this.#request;
    const result = await client.query<{ last_key: string | null; rows: string }>(
      nextKeysStatement(reading.definition, range, rows),
    );
    const row = result.rows[0];
    const lastKey = row?.last_key ?? null;
    return {
      lastKey: lastKey === null ? null : keyFrom(position.keys.kind, lastKey),
      rows: Number(row?.rows ?? 0),
    };
  }

  /** Buries a row that broke alone, if it breaks again and others do not. */
  async #lookInto(client: Client, described: DescribedReading, { key, error }: Suspect): Promise<boolean> {
    const { reading, position } = this.#request;
    const { definition } = reading;
    const code = error.code ?? 'data_exception';
    const examination = await examineRow(client, described, key, this.#ofSingleRows.has(code));
    this.#suspect = null;
    const passing = isPassing(error);
    if (examination.found === 'every row') {
      this.#window.open();
      throw passing ? error : faultyExpression(error, definition, position.keys.kind.format(key));
    }
    if (examination.found === 'sound') {
      if (!passing && ++this.#unstableRows > MOST_UNSTABLE_ROWS)
        throw unstableExpression(error, definition, position.keys.kind.format(key));
      return false;
    }
    // Of what passes by itself others are tried each time: it may have come meanwhile.
    if (!passing) this.#ofSingleRows.add(code);
    await this.#bury(key, error, examination);
    return false;
  }

  #copy(client: Client, described: DescribedReading, range: KeyRange): Promise<'complete' | 'stalled'> {
    const { position } = this.#request;
    const { limits, signal, onWaiting } = this.#dependencies;
    const consumer = this.#consumer;
    const { definition } = described.reading;
    const layout = rowLayout(described, position.keys);
    const row = new Row(layout);
    const frames = new CopyFrames({
      columns: columnCount(layout),
      maxRowBytes: maxRowBytes(described),
      headBytes: headBytes(layout),
      keys: position.keys,
    });
    const targets = described.targets.map((target) => target.definition);
    const { changedSince } = this.#request;
    const condition =
      changedSince === undefined ? null : changedSinceCondition(described.reading, changedSince);
    const statement = copyStatement(described.reading, range, targets, condition);
    return copyRows(
      client,
      { statement, frames, maxStallMs: limits.maxCopyStallMs },
      {
        take(event) {
          row.moveTo(frames.bytes, frames.start, frames.end);
          const order = position.compare(row.key);
          if (order <= 0) throw wrongOrder(order, row.key.key, definition);
          if (!position.covers(row.key)) return 'enough';
          const taken = event === 'row' ? consumer.take(row) : consumer.buryOversized(row, frames.rowBytes);
          if (!taken) return 'full';
          position.moveTo(row.key);
          if (frames.rows === 1) onWaiting(null);
          return 'taken';
        },
        room: () => consumer.room(signal),
      },
    );
  }

  /** Buries a row unless the end was moved to or before it meanwhile. */
  async #bury(key: Key, error: DatabaseError, { field, kept }: Examination): Promise<void> {
    const { position } = this.#request;
    const type = error.code ?? 'data_exception';
    const reason = brokenRowWords(error, field, this.#request);
    const letter: DeadLetter = { key, type, reason, fields: null };
    while (position.coversKey(key)) {
      if (this.#consumer.bury(letter, kept)) return position.moveToKey(key);
      await this.#consumer.room(this.#dependencies.signal);
    }
  }
}

interface Suspect {
  readonly key: Key;
  readonly error: DatabaseError;
}

interface NextKeys {
  readonly lastKey: Key | null;
  readonly rows: number;
}

function wrongOrder(order: number, key: Key, { name, source }: IndexDefinition): TaskFailure {
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
