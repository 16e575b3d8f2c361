import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestScope } from './run-setup.ts';

/** Lets a server listen on a free port of a loopback address until the test ends. Returns its URL. */
export async function listenForTest(
  scope: TestScope,
  server: Server,
  address = '127.0.0.1',
): Promise<string> {
  server.listen(0, address);
  await once(server, 'listening');
  scope.onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return `http://${address}:${(server.address() as AddressInfo).port}`;
}
