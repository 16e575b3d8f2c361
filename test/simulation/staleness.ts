import type { RunEvent } from '../../orchestrator/reconcile/events.ts';
import type { VirtualCluster } from './cluster.ts';
import type { VirtualTable } from './table.ts';

/**
 * Compares the versions of a promoted index with the table's own, where rows have a `changed_at`. It reads the journal
 * and shares no code with the run's own count.
 */
export class Staleness {
  readonly #table: VirtualTable;
  readonly #cluster: VirtualCluster;
  readonly #isKnown: boolean;
  #validateMs = 0;
  #promoteMs = 0;

  /** @param isKnown whether rows say when they changed */
  constructor(table: VirtualTable, cluster: VirtualCluster, isKnown: boolean) {
    this.#table = table;
    this.#cluster = cluster;
    this.#isKnown = isKnown;
  }

  read(events: readonly RunEvent[], nowMs: number): void {
    for (const event of events) {
      if (event.type !== 'phase_started') continue;
      if (event.phase === 'validate') this.#validateMs = nowMs;
      if (event.phase === 'promote') this.#promoteMs = nowMs;
    }
  }

  /** A row that changed before the index was proven is in it as it was then, or newer. */
  faultsOfMove(index: string): string[] {
    const stale = this.#olderThan(index, this.#validateMs);
    return stale.length === 0
      ? []
      : [`${index} is promoted with rows as they were before it was proven: ${stale.slice(0, 5).join(', ')}`];
  }

  /** The result says of every row that changed before the promotion began and is old in the index. */
  faultOfRecord(event: RunEvent): string[] {
    if (!this.#isKnown || event.type !== 'phase_finished' || event.phase !== 'promote') return [];
    return event.record.targets.flatMap(({ index, stale }) => {
      const old = this.#olderThan(index, this.#promoteMs);
      if (old.length === 0) return [];
      const said = stale?.rows ?? 0;
      return said >= old.length
        ? []
        : [`${old.length} rows are old in ${index}, and its record says ${said}`];
    });
  }

  /** The rows whose document is older than the row was at a time. */
  #olderThan(name: string, atMs: number): string[] {
    const index = this.#cluster.indexes.byName.get(name);
    if (!this.#isKnown || index === undefined) return [];
    const kept = this.#table.keptIn({ start: null, end: null });
    return kept
      .filter((key) => {
        const document = index.documents.get(String(key));
        return document?.source != null && document.version < this.#table.versionOf(key, atMs);
      })
      .map(String);
  }
}
