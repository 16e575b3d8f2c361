import type { RunEvent } from '../../orchestrator/reconcile/events.ts';

/** Which indexes the runs of a fleet build for an alias and have not yet handed over, by the fleet's journal. */
export class AliasUse {
  readonly #indexes = new Map<string, string>();
  /** Folders of runs that have begun to create their index, and have neither ended nor cleaned up. */
  readonly #atWork = new Set<string>();

  read(folder: string, events: readonly RunEvent[]): void {
    for (const event of events) {
      if (event.type === 'run_started') this.#indexes.set(folder, event.targets[0].index);
      if (event.type === 'phase_started' && event.phase === 'create-index') this.#atWork.add(folder);
      const isOver =
        event.type === 'abandoned' || (event.type === 'phase_finished' && event.phase === 'retain');
      if (isOver) this.#atWork.delete(folder);
    }
  }

  get atWork(): readonly string[] {
    return [...this.#atWork].flatMap((folder) => this.#indexes.get(folder) ?? []);
  }
}
