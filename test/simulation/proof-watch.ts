import type { RunEvent } from '../../orchestrator/reconcile/events.ts';

/** A look at the table's state, by the process that holds this epoch. */
interface Look {
  readonly epoch: number;
  /** All rows that were ever written, as they were at the look, whatever was answered. */
  readonly writes: number;
}

interface Proof extends Look {
  readonly atMs: number;
}

/** What a process may take between its look at a proof and the move, for it may be paused. */
const SLACK_MS = 900_000;

/**
 * Knows when an index was proven, and of which state of the table. It reads the journal and the looks at the table, and
 * shares no code with the run's own account.
 */
export class ProofWatch {
  readonly #maxAgeMs: number;
  #look: Look | null = null;
  /** By the run's folder. */
  readonly #proofs = new Map<string, Proof>();
  #promoting: { readonly folder: string; readonly epoch: number; readonly atMs: number } | null = null;

  constructor(maxAgeMs: number) {
    this.#maxAgeMs = maxAgeMs;
  }

  looked(look: Look): void {
    this.#look = look;
  }

  read(folder: string, epoch: number, events: readonly RunEvent[], atMs: number): void {
    for (const event of events) {
      if (event.type === 'phase_finished' && event.phase === 'validate' && this.#look !== null)
        this.#proofs.set(folder, { ...this.#look, atMs });
      if (event.type === 'phase_started' && event.phase === 'promote')
        this.#promoting = { folder, epoch, atMs };
    }
  }

  /**
   * What is wrong with the proof of an alias that moves now. Null: it holds.
   *
   * @param clocksAgree false where a process cannot know how old a proof of another one is
   */
  faultOfMove(clocksAgree: boolean): string | null {
    const promoting = this.#promoting;
    const proof = promoting === null ? undefined : this.#proofs.get(promoting.folder);
    if (promoting === null || proof === undefined) return 'an index is promoted that nobody has proven';
    const ageMs = promoting.atMs - proof.atMs;
    if (clocksAgree && ageMs > this.#maxAgeMs + SLACK_MS)
      return `an index is promoted on a proof that is ${Math.round(ageMs / 60_000)} minutes old`;
    if (promoting.epoch === proof.epoch) return null;
    if (this.#look?.epoch !== promoting.epoch)
      return 'an index is promoted on the proof of another process, and nobody has looked at the table since';
    const written = this.#look.writes - proof.writes;
    return written === 0
      ? null
      : `an index is promoted on a proof, though ${written} rows were written since`;
  }
}
