import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import type { TestScope } from '../support/run-setup.ts';

/** Of all tests; its subnets are real loopback addresses of this machine (Linux answers on all of 127.0.0.0/8). */
export const VPC_CIDR = '127.77.0.0/16';
const SUBNETS = 254;
const PORT = 8003;

/**
 * A subnet of that VPC, e.g. `127.77.31.0/24`, on whose addresses no other test of this machine listens, until the test
 * has ended. Who listens on the address that is AWS's own in each subnet (`.1`, the router) has the subnet; the system
 * takes that back from a process that was killed.
 */
export async function takeSubnet(scope: TestScope): Promise<string> {
  const first = Math.floor(Math.random() * SUBNETS);
  for (let tried = 0; tried < SUBNETS; tried += 1) {
    const number = ((first + tried) % SUBNETS) + 1;
    const server = await tryListen(`127.77.${number}.1`);
    if (server === null) continue;
    scope.onTestFinished(async () => {
      server.close();
      await once(server, 'close');
    });
    return `127.77.${number}.0/24`;
  }
  throw new Error(`All subnets of ${VPC_CIDR} are taken.`);
}

async function tryListen(address: string): Promise<Server | null> {
  const server = createServer((socket) => socket.destroy());
  server.listen(PORT, address);
  try {
    await once(server, 'listening');
    return server;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return null;
    throw error;
  }
}
