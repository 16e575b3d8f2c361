import { Client, type ClientConfig } from 'pg';
import type { IndexDefinition } from '../../definition/definition.ts';
import { describeDefinition } from '../../definition/describe.ts';
import { digestTypes } from '../../definition/digest.ts';
import type { KeyRange } from '../../definition/key/key-range.ts';
import { INTEGER_KEY_BYTES } from '../../worker/key/integer-bytes.ts';
import { reindex, type ReadingState } from '../../worker/reindex.ts';
import { Position } from '../../worker/source/position.ts';
import type { ReadLimits } from '../../worker/source/read-range.ts';
import { CollectingWriter } from './collecting-writer.ts';

export interface ReadAllOptions {
  readonly range?: KeyRange;
  /** Instead of `range`, where a test moves its end. */
  readonly position?: Position;
  readonly writer?: CollectingWriter;
  readonly signal?: AbortSignal;
  readonly limits?: Partial<ReadLimits>;
  readonly live?: ReadingState;
  readonly typesDigest?: string;
}

const WHOLE: KeyRange = { start: null, end: null };

/** Reads a whole range into a writer that keeps all documents. */
export async function readAll(
  database: ClientConfig,
  definition: IndexDefinition,
  options: ReadAllOptions = {},
): Promise<CollectingWriter> {
  const { changedAt, unusableChangedAt } = definition.source;
  const versioned = changedAt !== null;
  const writer = options.writer ?? new CollectingWriter({ versioned, unusableChangedAt });
  const typesDigest = options.typesDigest ?? (await typesDigestOf(database, definition));
  const planned = { definition, typesDigest };
  await reindex(
    {
      reading: planned,
      targets: [planned],
      position: options.position ?? positionIn(options.range ?? WHOLE),
    },
    {
      database,
      writer,
      signal: options.signal ?? new AbortController().signal,
      limits: options.limits ?? {},
      live: options.live ?? { rowsRead: 0, waitingFor: null },
    },
  );
  return writer;
}

export function positionIn(range: KeyRange): Position {
  return new Position(range, INTEGER_KEY_BYTES);
}

export async function typesDigestOf(database: ClientConfig, definition: IndexDefinition): Promise<string> {
  return withClient(database, async (client) => digestTypes(await describeDefinition(client, definition)));
}

export async function withClient<Result>(
  database: ClientConfig,
  use: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = new Client(database);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
