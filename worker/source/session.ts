import { Client, type ClientConfig } from 'pg';
import { createSocket } from './pieces.ts';
import { beginReading, type ReadingLimits } from '../../definition/reading-session.ts';

/** After a statement's time is over, reading goes on behind the last row. */
export interface SessionLimits extends ReadingLimits {
  /** How long connecting may take, in milliseconds. */
  readonly connectTimeoutMs: number;
}

export const DEFAULT_SESSION_LIMITS: SessionLimits = {
  connectTimeoutMs: 10_000,
  statementTimeoutMs: 30 * 60_000,
  lockTimeoutMs: 30_000,
};

/** The kernel asks a silent peer after this; together with its repeats a dead one is noticed within about 20 s. */
const KEEP_ALIVE_DELAY_MS = 10_000;
/** Terminate, so that the server does not log a lost client. Source: PostgreSQL's manual, "Message Formats". */
const TERMINATE = Buffer.from([0x58, 0, 0, 0, 4]);

/**
 * Runs `use` with a connection of its own, in a read-only transaction that sees one snapshot. The connection is
 * closed when `use` ends and destroyed as soon as the signal is aborted.
 */
export async function withSession<Result>(
  database: ClientConfig,
  limits: SessionLimits,
  signal: AbortSignal,
  use: (client: Client) => Promise<Result>,
): Promise<Result> {
  signal.throwIfAborted();
  const client = new Client({
    ...database,
    stream: createSocket,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS,
    connectionTimeoutMillis: limits.connectTimeoutMs,
  });
  // Whoever waits for the connection is told by its rejection; this event would end the process.
  client.on('error', () => {});
  const destroy = (): void => void client.connection.stream.destroy();
  signal.addEventListener('abort', destroy, { once: true });
  try {
    await client.connect();
    await client.query(beginReading(limits));
    return await use(client);
  } finally {
    signal.removeEventListener('abort', destroy);
    close(client);
  }
}

function close(client: Client): void {
  const { stream } = client.connection;
  // One that was never connected, or is no longer, has nobody to take leave of.
  if (!stream.readable || !stream.writable) stream.destroy();
  else stream.end(TERMINATE, () => stream.destroy());
}
