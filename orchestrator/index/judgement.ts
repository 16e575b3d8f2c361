/** What a look at the cluster has found, in sentences. */
export interface Judgement {
  /** Why a run cannot begin. */
  readonly faults: readonly string[];
  /** What may become scarce, or cannot be looked at. */
  readonly warnings: readonly string[];
}

export const NOTHING_FOUND: Judgement = { faults: [], warnings: [] };
