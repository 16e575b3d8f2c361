import { isPhaseDone, PHASE_NAMES } from '../reconcile/phases.ts';
import type { RunState } from '../reconcile/state.ts';

/** Says what of a run is done, and what to do, when the cluster did not answer as it should for too long. */
export function standingWords({ phases, promotionIntents, promotions }: RunState): string {
  const done = PHASE_NAMES.filter((phase) => isPhaseDone(phases, phase));
  const mayHaveMoved = [...promotionIntents.keys()].some((index) => !promotions.has(index));
  const alias = isPhaseDone(phases, 'promote')
    ? ' The alias has moved.'
    : mayHaveMoved
      ? ' The alias may have moved: the same command finds out.'
      : ' The alias has not moved.';
  return `Done: ${done.join(', ')}.${alias} Give the same command again when this has passed: it does what is left.`;
}
