import { parentPort, workerData } from 'node:worker_threads';
import { prepareWorlds, runWorld } from './run-world.ts';

/** Runs its share of the worlds, one after the other, and reports each. */
const { seeds } = workerData as { readonly seeds: readonly number[] };
const setting = await prepareWorlds();
for (const seed of seeds) parentPort?.postMessage(await runWorld({ seed }, setting), []);
