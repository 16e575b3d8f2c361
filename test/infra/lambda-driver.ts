import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { pathToFileURL } from 'node:url';
import { wholeTurn } from '../../orchestrator/lifetime.ts';
import type { handler as sweeperHandler } from '../../infra/sweeper/handler.ts';

/**
 * Calls a function as Lambda does, once per event: `lambda-driver.ts <bundle> <DriverInput as JSON>`. What the function
 * writes goes to standard output; what came of each call, a `DriverOutcome`, to standard error, a line each.
 */
export interface DriverInput {
  readonly events: readonly unknown[];
  /** What the function has left of its time at each call. */
  readonly remainingMs: number;
}

export interface DriverOutcome {
  readonly result: Awaited<ReturnType<typeof sweeperHandler>> | null;
  /** What Lambda would count as an error of the function. */
  readonly error: { readonly name: string; readonly message: string } | null;
  /** What is still there when the function has returned: timers and the like, and connections, also idle ones. */
  readonly left: readonly string[];
}

const [, , bundle = '', input = ''] = process.argv;
const { handler } = (await import(pathToFileURL(bundle).href)) as { handler: typeof sweeperHandler };
const { events, remainingMs } = JSON.parse(input) as DriverInput;

/** Idle connections keep no process going, and would be left out elsewhere. */
const connections = new Set<Socket>();
subscribe('net.client.socket', (message) => {
  const { socket } = message as { socket: Socket };
  connections.add(socket);
  socket.once('close', () => connections.delete(socket));
});

for (const event of events) {
  const context = {
    functionName: 'books-sweep',
    logStreamName: '2026/01/01/[$LATEST]0123456789abcdef',
    getRemainingTimeInMillis: () => remainingMs,
  };
  const outcome = await handler(event, context).then(
    (result) => ({ result, error: null }),
    ({ name, message }: Error) => ({ result: null, error: { name, message } }),
  );
  // Lambda stops the process right here; a connection that was ended takes a turn of the loop to be closed.
  await wholeTurn();
  const resources = process.getActiveResourcesInfo().filter((name) => name !== 'PipeWrap');
  const left = [...resources, ...Array.from(connections, () => 'a connection')];
  console.error(JSON.stringify({ ...outcome, left } satisfies DriverOutcome));
}
