import { RunFailed } from '../errors.ts';
import type { FleetPin } from '../reconcile/fleet-pin.ts';
import type { Settings } from '../settings.ts';
import type { FleetBackend } from './fleet-backend.ts';
import type { FleetTraits } from './fleet-kind.ts';
import { FLEET_KINDS, USUAL_KIND } from './kinds.ts';

/**
 * The fleet that the settings have chosen, with what its kind needs loaded. A run that has a fleet of another kind is
 * refused by each of its calls.
 */
export async function connectFleet(settings: Settings): Promise<FleetBackend> {
  const { traits, connect } = settings.backend;
  const backend = await connect(settings);
  return {
    check: async (options) => {
      requireKind(options.pin, traits);
      return backend.check(options);
    },
    open: async (pass) => {
      requireKind(pass.pin, traits);
      return backend.open(pass);
    },
    openFleet: async (pin) => {
      requireKind(pin, traits);
      return backend.openFleet(pin);
    },
  };
}

/** One worker process beside the orchestrator, which ends with it, whatever fleet the run has. */
export function besideOrchestrator(settings: Settings): Promise<FleetBackend> {
  const workers = { ...settings.workers, count: 1, minimum: 1 };
  const isChosen = settings.backend.traits.kind === USUAL_KIND.kind;
  const beside = isChosen ? settings.backend : USUAL_KIND.schema.parse({});
  return beside.connect({ ...settings, workers, price: null });
}

/**
 * @param pin of a run; null: there is none yet, or no run has the fleet
 * @throws RunFailed when the run has a fleet of another kind than the settings choose
 */
function requireKind(pin: FleetPin | null, chosen: Pick<FleetTraits, 'kind'>): void {
  const kind = pin?.kind ?? chosen.kind;
  if (kind === chosen.kind) return;
  const known = FLEET_KINDS.find((candidate) => candidate.kind === kind);
  if (known === undefined)
    throw new RunFailed(
      `the run has a fleet of the kind ${kind}, which this version does not know (it knows ${FLEET_KINDS.map((candidate) => candidate.kind).join(', ')}): carry it on with the version that began it`,
    );
  throw new RunFailed(
    `the run has a fleet of the kind ${kind}, and these settings lack its section ${known.section} (they choose the kind ${chosen.kind}): carry it on with the settings that it began with`,
  );
}

/** The pin of a fleet that may have been left behind; null: there was none, or its workers have ended with their process. */
export function pinLeftBehind(pin: FleetPin | null): FleetPin | null {
  return FLEET_KINDS.find(({ kind }) => kind === pin?.kind)?.outlivesProcess === false ? null : pin;
}

/** @throws RunFailed when a run's journal does not say which fleet it has */
export function pinOf({ pin }: { readonly pin: FleetPin | null }): FleetPin {
  if (pin !== null) return pin;
  throw new RunFailed(
    'the journal of the run does not say which fleet it has: end the run with `reindex-fleet abandon` and begin another',
  );
}
