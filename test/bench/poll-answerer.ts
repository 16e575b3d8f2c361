import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { CONTRACT_VERSION, HEADER_CONTRACT, type Health, type TaskStatus } from '../../worker/contract.ts';

/** Answers for many workers, each on its own port. It prints the ports and, when asked, the count of open sockets. */
const HEADERS = { 'content-type': 'application/json', [HEADER_CONTRACT]: String(CONTRACT_VERSION) };

async function listen(): Promise<Server> {
  const server = createServer((request, response) => {
    const task = request.url?.startsWith('/task/') === true ? request.url.slice('/task/'.length) : null;
    response.writeHead(200, HEADERS);
    response.end(JSON.stringify(task === null ? HEALTH : statusOf(task)));
  });
  // The worker uses the same value.
  server.keepAliveTimeout = 30_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const HEALTH: Health = { status: 'ok', build: 'build', worker_id: 'any', draining: false };

function statusOf(task: string): TaskStatus {
  return {
    task_id: task,
    active: true,
    attempt: 1,
    end_index: '1000000',
    progress: 50,
    settled_through: '499999',
    rows_read: 500_000,
    filtered: 0,
    targets: [{ index: 'target', indexed: 500_000, superseded: 0, filtered: 0, dead_letters: 0 }],
    bytes_sent: 500_000_000,
    retries: 0,
    waiting_for: null,
    start_time: '2026-01-01T00:00:00.000Z',
    finish_time: null,
    error: null,
  };
}

function socketsOf(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}

const servers = await Promise.all(Array.from({ length: Number(process.argv[2]) }, listen));
process.on('message', () => {
  void Promise.all(servers.map(socketsOf)).then((counts) =>
    process.send?.(counts.reduce((sum, count) => sum + count, 0)),
  );
});
// The caller has gone.
process.on('disconnect', () => process.exit());
process.send?.(servers.map((server) => (server.address() as AddressInfo).port));
