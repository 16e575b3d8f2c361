import type { Sink } from '../sinks/sink.ts';
import type { Arm, StartedArm, Work } from './arm.ts';

/** What one arm took for all documents, in a process of its own that is new. */
export interface Taken {
  readonly documents: number;
  /** From the word to begin to the last answer. */
  readonly seconds: number;
  /** From the start of the process to the last answer. */
  readonly wholeSeconds: number;
  /** Processor time of the client's processes between these, user and system. */
  readonly cpuSeconds: number;
  readonly wholeCpuSeconds: number;
  /** Processor time of the database's processes meanwhile. */
  readonly databaseCpuSeconds: number;
  /** The most resident memory of the client's processes, summed over them. */
  readonly peakBytes: number;
}

/** What an arm took, or the sentence that says why it did not bring all documents. */
export type Outcome = Taken | { readonly failed: string };

/** One arm's turn on an empty sink. What fails is the arm's outcome; a sink that fails ends the bench. */
export async function takeTurn(arm: Arm, work: Work, sink: Sink): Promise<Outcome> {
  await sink.reset(work.described);
  const startMs = performance.now();
  let started: StartedArm | null = null;
  let taken: Omit<Taken, 'documents'>;
  try {
    started = await arm.start(work);
    const ready = await started.usage();
    const readyMs = performance.now();
    const databaseBefore = await work.databaseCpuSeconds();
    const seconds = await started.run();
    const after = await started.usage();
    taken = {
      seconds,
      wholeSeconds: (readyMs - startMs) / 1_000 + seconds,
      cpuSeconds: after.cpuSeconds - ready.cpuSeconds,
      wholeCpuSeconds: after.cpuSeconds,
      databaseCpuSeconds: (await work.databaseCpuSeconds()) - databaseBefore,
      peakBytes: after.peakBytes,
    };
  } catch (error) {
    return { failed: (error as Error).message };
  } finally {
    await started?.stop();
  }
  const wanted = work.rows.end - work.rows.first;
  const documents = await sink.documents();
  if (documents === wanted) return { ...taken, documents };
  const count = Math.abs(wanted - documents).toLocaleString('en');
  return {
    failed: documents < wanted ? `it lost ${count} documents` : `it wrote ${count} documents too many`,
  };
}
