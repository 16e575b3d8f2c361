import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { makeReadableDirectory } from './unprivileged.ts';
import { ServicesFailure } from './services-failure.ts';

/** The keeper's part of a data folder: its socket, lock and log. */
export const keeperFolder = (dataDir: string): string => join(dataDir, 'keeper');
export const socketPath = (dataDir: string): string => join(keeperFolder(dataDir), 'socket');
export const keeperLog = (dataDir: string): string => join(keeperFolder(dataDir), 'keeper.log');

/** The longest path of a socket that every system takes: 104 bytes with a final zero on macOS, 108 on Linux (unix(7)). */
const LONGEST_SOCKET_PATH_BYTES = 103;

/** Makes a data folder that services can read, and the keeper's part. Only its user can enter that: the socket gives passwords. */
export async function makeKeeperFolder(dataDir: string): Promise<void> {
  if (Buffer.byteLength(socketPath(dataDir)) > LONGEST_SOCKET_PATH_BYTES) {
    throw new ServicesFailure(
      `The path ${dataDir} is too long for a socket. Set REINDEX_FLEET_CACHE to a shorter path.`,
    );
  }
  try {
    await makeReadableDirectory(dataDir);
    await mkdir(keeperFolder(dataDir), { recursive: true, mode: 0o700 });
    await chmod(keeperFolder(dataDir), 0o700);
  } catch (error) {
    const { message } = error as Error;
    throw new ServicesFailure(
      `The folder of the embedded services cannot be made (${message}). Set REINDEX_FLEET_CACHE to a folder that you can write to.`,
      {
        cause: error,
      },
    );
  }
}
