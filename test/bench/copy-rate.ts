import { Client, type ClientConfig } from 'pg';
import { createSocket, Pieces } from '../../worker/source/pieces.ts';

/** Reads a COPY to its end and throws it away. Gives the time that it took and the number of bytes. */
export async function discardCopy(
  database: ClientConfig,
  statement: string,
): Promise<{ seconds: number; bytes: number }> {
  const client = new Client({ ...database, stream: createSocket });
  client.on('error', () => {});
  await client.connect();
  const { stream } = client.connection;
  const pieces = new Pieces(stream);
  const startMs = performance.now();
  const text = Buffer.from(`${statement}\0`);
  const header = Buffer.alloc(5, 'Q');
  header.writeInt32BE(text.length + 4, 1);
  stream.write(Buffer.concat([header, text]));
  let bytes = 0;
  for (let piece = await pieces.next(); piece !== null; piece = await pieces.next()) {
    bytes += piece.length;
    if (endsReady(piece)) break;
  }
  const seconds = (performance.now() - startMs) / 1_000;
  stream.destroy();
  return { seconds, bytes };
}

/** Whether the last message is ReadyForQuery outside of a transaction. */
function endsReady(piece: Buffer): boolean {
  return piece.length >= 6 && piece.subarray(-6).equals(Buffer.from('Z\0\0\0\x05I'));
}
