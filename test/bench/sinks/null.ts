import { z } from 'zod';
import { Child } from '../child.ts';
import type { Sink } from './sink.ts';

const stateSchema = z.object({ documents: z.number() });

/** A process that answers as a cluster does and forgets. */
export interface NullSink extends Sink {
  /** Processor time that it took so far. */
  cpuSeconds(): Promise<number>;
}

/** Starts a null sink; it ends with this process. */
export async function startNullSink(): Promise<NullSink> {
  const child = Child.node(new URL('null-process.ts', import.meta.url), {});
  const url = await child.firstLine;
  const count = async (): Promise<number> => stateSchema.parse(await (await fetch(url)).json()).documents;
  let before = 0;
  return {
    kind: 'null',
    name: 'null sink',
    url,
    reset: async () => {
      before = await count();
    },
    documents: async () => (await count()) - before,
    cpuSeconds: async () => (await child.usage()).cpuSeconds,
    stop: () => child.stop(),
  };
}
