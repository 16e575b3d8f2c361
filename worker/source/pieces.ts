import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

const READ_BUFFER_BYTES = 256 * 1024;

/**
 * A socket that reads into one buffer, again and again. An ordinary one makes a new buffer for every 64 KiB, and most
 * of the collector's work, and much of the process's memory, was for these (measured).
 */
class ReusingSocket extends Socket {
  /** Takes pieces from now on, each good only until the next; false: read no more until `resume()`. */
  onPiece: ((piece: Buffer) => boolean) | null = null;

  constructor() {
    super({
      onread: {
        buffer: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES),
        callback: (bytes, buffer) => this.#receive(buffer.subarray(0, bytes) as Buffer),
      },
    });
  }

  /** Before that, pieces are copied and given out as by any other socket. */
  #receive(piece: Buffer): boolean {
    if (this.onPiece !== null) return this.onPiece(piece);
    this.emit('data', Buffer.from(piece));
    return true;
  }
}

/** The socket for a new connection of `pg`; TLS, which wraps it, wants an ordinary one. */
export function createSocket(config?: { readonly ssl?: unknown }): Socket {
  return config?.ssl ? new Socket() : new ReusingSocket();
}

/** What arrives on a stream, one piece after the other as it is asked for: who does not ask lets the sender wait. */
export class Pieces {
  readonly #stream: Duplex;
  /** Not yet asked for; nothing more is read until it is. */
  #arrived: Buffer | null = null;
  #ended = false;
  #wake: () => void = () => {};

  /** Takes the stream away from those who listened to it before. */
  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.removeAllListeners('data');
    stream.once('close', () => {
      this.#ended = true;
      this.#wake();
    });
    if (stream instanceof ReusingSocket) {
      stream.onPiece = (piece) => this.#receive(piece);
    } else {
      stream.on('data', (piece: Buffer) => {
        this.#receive(piece);
        stream.pause();
      });
    }
  }

  /** The next piece, good until the next call; null: the stream has ended. */
  async next(): Promise<Buffer | null> {
    if (this.#arrived === null && !this.#ended) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#stream.resume();
      await woken;
    }
    const piece = this.#arrived;
    this.#arrived = null;
    return piece;
  }

  #receive(piece: Buffer): false {
    this.#arrived = piece;
    this.#wake();
    return false;
  }
}
