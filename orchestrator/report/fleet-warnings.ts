import type { Memory } from '../reconcile/memory.ts';
import type { Observation } from '../reconcile/observation.ts';
import type { RunState } from '../reconcile/state.ts';

/** What happens to the fleet of a pass, as sentences. Each thing is reported once. */
export class FleetWarnings {
  readonly #told: Set<string>;
  #desired: number;

  /** @param state at the beginning of the pass. What happened before was reported before */
  constructor(state: RunState) {
    this.#told = new Set(Object.keys(state.terminations).map(keyOfEnd));
    this.#desired = state.desired;
  }

  /** The sentences that are new. */
  next(state: RunState, memory: Memory, observation: Observation): string[] {
    // A group keeps its desired size: an instance that ends is replaced, unless the desired capacity falls with it.
    const keepsSize = state.desired > 0 && state.desired >= this.#desired;
    const replaces = keepsSize && state.stopped === null && observation.launchFault === null;
    this.#desired = state.desired;
    const warnings = [
      ...launchWarnings(observation),
      ...capacityWarnings(state, observation),
      ...terminationWarnings(state, observation),
      ...ownEndWarnings(memory, observation, replaces),
    ];
    return warnings.flatMap(({ key, sentence }) => {
      if (this.#told.has(key)) return [];
      this.#told.add(key);
      return [sentence];
    });
  }
}

interface Warning {
  /** Identifies what is reported. Its words may change from one look to the next. */
  readonly key: string;
  readonly sentence: string;
}

function keyOfEnd(instance: string): string {
  return `end of ${instance}`;
}

function launchWarnings({ launchFailures, launchFault }: Observation): Warning[] {
  const sentences = [
    ...launchFailures.map(({ reason }) => `a launch failed: ${reason}`),
    ...(launchFault === null ? [] : [`no more instances are launched: ${launchFault}`]),
  ];
  return sentences.map((sentence) => ({ key: sentence, sentence }));
}

/** Leaves out the cloud's words where a failed launch already has them. */
function capacityWarnings({ capacity }: RunState, { launchFailures }: Observation): Warning[] {
  if (capacity === null) return [];
  const { reason, workers } = capacity;
  const words = launchFailures.map((failure) => `: ${failure.reason}`).find((end) => reason.endsWith(end));
  const short = words === undefined ? reason : reason.slice(0, -words.length);
  return [{ key: reason, sentence: `${short}; the run goes on with ${workers}` }];
}

/** The instances that could do no work. */
function terminationWarnings({ terminations }: RunState, { launchFault }: Observation): Warning[] {
  const fate = launchFault === null ? 'replaced' : 'ended';
  return Object.entries(terminations).flatMap(([id, { replaced, reason }]) =>
    replaced ? [{ key: keyOfEnd(id), sentence: `worker ${id} is ${fate}: ${reason}` }] : [],
  );
}

/** The instances that ended by themselves. */
function ownEndWarnings(memory: Memory, observation: Observation, replaces: boolean): Warning[] {
  const details = new Map(observation.instances.map(({ id, detail }) => [id, detail]));
  return [...memory.instances].flatMap(([id, { endedByItself, readyMs }]) => {
    if (!endedByItself) return [];
    // What its process wrote last follows below, line by line.
    const [end = '', ...log] = details.get(id)?.split('\n') ?? [];
    const sentence = [
      `worker ${id} ended by itself${readyMs === null ? ' before it was ready' : ''}${end === '' ? '' : `: ${end}`}`,
      ...(readyMs === null && log.length === 0 ? ['look at its log'] : []),
      ...(replaces ? ['another is launched in its place'] : []),
    ].join('; ');
    return [{ key: keyOfEnd(id), sentence: [sentence, ...log].join('\n') }];
  });
}
