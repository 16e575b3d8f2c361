import { once } from 'node:events';
import { createServer } from 'node:net';
import { ServicesFailure } from './services-failure.ts';

/**
 * Finds a port of 127.0.0.1 that is free now. It takes the preferred one if it is free, so addresses stay the same over restarts.
 * It never takes a well-known port, because a program for another server might write to it. Another process may take the port
 * before the caller does. Then the service cannot bind, and says so.
 */
export async function freePort(preferred = 0): Promise<number> {
  return (await tryPort(preferred)) ?? (await tryPort(0)) ?? noPort();
}

async function tryPort(port: number): Promise<number | null> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' && address ? address.port : null;
  } catch {
    return null;
  } finally {
    server.close();
  }
}

function noPort(): never {
  throw new ServicesFailure(
    '127.0.0.1 has no free port. End some programs that listen there, then try again.',
  );
}
