import { connect } from 'node:http2';
import { setTimeout } from 'node:timers/promises';

const PAUSE_MS = 200;

/**
 * Resolves when an engine has ended. It keeps a connection to the engine, so it learns of any end at once. When the connection
 * is closed, it connects again. An engine that has ended refuses that.
 *
 * @param address `host:port`
 */
export async function engineEnd(address: string): Promise<void> {
  while (await wasConnected(address)) await setTimeout(PAUSE_MS);
}

/** Resolves when the connection is closed, with whether there was one. */
function wasConnected(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    let connected = false;
    const session = connect(`http://${address}`);
    session.once('connect', () => (connected = true));
    session.on('error', () => {}); // The end of the connection follows.
    session.once('close', () => resolve(connected));
  });
}
