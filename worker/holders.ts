import { z } from 'zod';
import { HEADER_EPOCH, HEADER_RUN } from './contract.ts';
import { Refusal } from './refusal.ts';

/** The caller: a run, and the holder of its lock. The epoch rises with each holder. */
export interface Holder {
  readonly run: string;
  readonly epoch: number;
}

/** How many runs' epochs are remembered. A worker rarely serves a second run. */
const REMEMBERED_RUNS = 1_000;
const runSchema = z.string().min(1).max(255);
const epochSchema = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,15})$/)
  .transform(Number)
  .pipe(z.int());

/**
 * Reads the headers of an orchestrator's call. Null: the call has none, because a person made it.
 * @throws Refusal 400 if one of them is missing or malformed
 */
export function holderOf(run: string | undefined, epoch: string | undefined): Holder | null {
  if (run === undefined && epoch === undefined) return null;
  if (!runSchema.safeParse(run).success) {
    throw new Refusal(400, `Send the name of the run in ${HEADER_RUN}, 1 to 255 characters.`, {
      field: HEADER_RUN,
    });
  }
  const parsed = epochSchema.safeParse(epoch);
  if (!parsed.success) {
    throw new Refusal(400, `Send the lock's epoch in ${HEADER_EPOCH}, a whole number.`, {
      field: HEADER_EPOCH,
    });
  }
  return { run: run ?? '', epoch: parsed.data };
}

/** Refuses callers that no longer hold the lock, and callers of another run while this worker has tasks. */
export class Holders {
  readonly #epochs = new Map<string, number>();

  /**
   * @param activeRun the run that this worker works for now, if any
   * @throws Refusal 409
   */
  admit({ run, epoch }: Holder, activeRun: string | null): void {
    if (activeRun !== null && activeRun !== run) {
      throw new Refusal(409, `This worker works for another run, ${activeRun}. Use another worker.`);
    }
    const seen = this.#epochs.get(run) ?? 0;
    if (epoch < seen) {
      throw new Refusal(
        409,
        `Epoch ${epoch} of run ${run} is over. The holder with epoch ${seen} has the lock now.`,
      );
    }
    this.#epochs.delete(run);
    this.#epochs.set(run, epoch);
    const [oldest] = this.#epochs.keys();
    if (this.#epochs.size > REMEMBERED_RUNS && oldest !== undefined) this.#epochs.delete(oldest);
  }
}
