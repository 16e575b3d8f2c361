import { z } from 'zod';
import { Child } from '../child.ts';
import type { StartedArm } from './arm.ts';

/** What a peer prints when all documents are written. */
const doneSchema = z.object({ seconds: z.number() });

/**
 * Starts a peer's process, which reads its order from `BENCH_ORDER`. It prints a line when it is ready, begins when it
 * is told `go`, prints how long it took, and waits for its end, so that what it used can still be read.
 */
export async function startPeer(
  command: readonly [string, ...string[]],
  order: object,
  environment: NodeJS.ProcessEnv = {},
): Promise<StartedArm> {
  const child = new Child(command, { ...environment, BENCH_ORDER: JSON.stringify(order) });
  try {
    await child.firstLine;
  } catch (error) {
    await child.stop();
    throw error;
  }
  return {
    run: async () => doneSchema.parse(JSON.parse(await child.ask('go'))).seconds,
    usage: () => child.usage(),
    stop: () => child.stop(),
  };
}
