import { once } from 'node:events';
import { createServer } from 'node:net';
import { ServicesFailure } from './services-failure.ts';

/**
 * A port of 127.0.0.1 that is free now: the preferred one if it is, so that addresses stay the same over restarts, else
 * any, never a well-known one, to which a program meant for another server might write.
 * Another process may take it before the caller does; then the service fails to bind and says so.
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
  throw new ServicesFailure('No free port on 127.0.0.1.');
}
