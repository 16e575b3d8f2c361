import type { Client } from 'pg';
import type { CopyFrames } from './frames.ts';
import { Pieces } from './pieces.ts';

/** `full`: there is no room for the row now, it is offered again when there is. `enough`: neither it nor what follows is wanted. */
export type Taking = 'taken' | 'full' | 'enough';

export interface CopyRequest {
  readonly statement: string;
  readonly frames: CopyFrames;
  /** A COPY that was kept waiting for room for longer than this is given up. */
  readonly maxStallMs: number;
}

export interface CopyConsumer {
  /** Takes the row that the frames stand at, or not. */
  take(event: 'row' | 'oversized'): Taking;
  /** Resolves when there is room; rejects when the task must end. */
  room(): Promise<void>;
}

/**
 * Runs a COPY on a connection that `pg` has made and that is idle: pg's own reader is taken off its socket, for it
 * makes an object of each row. The connection can only be closed afterwards.
 * While there is no room nothing is read, so that PostgreSQL waits. A COPY that was kept waiting for longer than
 * `maxStallMs` is given up (`stalled`), so that its snapshot does not hold up vacuum and replicas.
 * One whose consumer has enough is complete then and there.
 */
export async function copyRows(
  client: Client,
  { statement, frames, maxStallMs }: CopyRequest,
  consumer: CopyConsumer,
): Promise<'complete' | 'stalled'> {
  const { stream } = client.connection;
  const pieces = new Pieces(stream);
  stream.write(queryMessage(statement));
  for (let piece = await pieces.next(); piece !== null; piece = await pieces.next()) {
    frames.feed(piece);
    for (let event = frames.next(); event !== 'more'; event = frames.next()) {
      if (event === 'ready') return 'complete';
      if (event === 'error')
        throw frames.error ?? new Error('PostgreSQL sent an error without saying which.');
      let taking = consumer.take(event);
      while (taking === 'full') {
        if (!(await roomWithin(consumer.room(), maxStallMs, () => stream.destroy()))) return 'stalled';
        taking = consumer.take(event);
      }
      if (taking === 'enough') {
        stream.destroy();
        return 'complete';
      }
    }
  }
  throw new Error('The connection to PostgreSQL ended in the middle of a COPY.');
}

/** True: there is room in time. Otherwise gives up at once, waits for the room all the same, and says false. */
async function roomWithin(room: Promise<void>, timeoutMs: number, giveUp: () => void): Promise<boolean> {
  let inTime = true;
  const timer = setTimeout(() => {
    inTime = false;
    giveUp();
  }, timeoutMs);
  try {
    await room;
    return inTime;
  } finally {
    clearTimeout(timer);
  }
}

/** The simple query protocol's Query message. */
function queryMessage(statement: string): Buffer {
  const text = Buffer.from(`${statement}\0`);
  const message = Buffer.allocUnsafe(5 + text.length);
  message[0] = 0x51;
  message.writeInt32BE(4 + text.length, 1);
  text.copy(message, 5);
  return message;
}
