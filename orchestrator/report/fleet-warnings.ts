import type { Observation } from '../reconcile/observation.ts';
import type { RunState } from '../reconcile/state.ts';

/** What befalls the fleet of a pass, as sentences; each is told once. */
export class FleetWarnings {
  readonly #told: Set<string>;

  /** @param state as the pass begins: what befell it before was told before */
  constructor(state: RunState) {
    this.#told = new Set(replacements(state));
  }

  /** Those that are new. */
  next(state: RunState, observation: Observation): string[] {
    const sentences = [
      ...observation.launchFailures.map(({ reason }) => `a launch failed: ${reason}`),
      ...(observation.launchFault === null
        ? []
        : [`no more instances are launched: ${observation.launchFault}`]),
      ...(state.capacity === null
        ? []
        : [`${state.capacity.reason}; the run goes on with ${state.capacity.workers}`]),
      ...replacements(state),
    ];
    const fresh = [...new Set(sentences)].filter((sentence) => !this.#told.has(sentence));
    for (const sentence of fresh) this.#told.add(sentence);
    return fresh;
  }
}

function replacements({ terminations }: RunState): string[] {
  return Object.entries(terminations).flatMap(([instance, { replaced, reason }]) =>
    replaced ? [`worker ${instance} is replaced: ${reason}`] : [],
  );
}
