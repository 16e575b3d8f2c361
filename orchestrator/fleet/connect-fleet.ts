import { RunFailed } from '../errors.ts';
import type { FleetPin } from '../reconcile/fleet-pin.ts';
import type { Settings } from '../settings.ts';
import type { FleetBackend } from './fleet-backend.ts';
import type { FleetTraits } from './fleet-kind.ts';
import { FLEET_KINDS, DEFAULT_KIND } from './kinds.ts';

/**
 * Connects the fleet that the settings choose, and loads what its kind needs. If a run has a fleet of another kind,
 * each call refuses it.
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

/** One worker process on the orchestrator's machine, whatever fleet the run has. It ends with the orchestrator. */
export function besideOrchestrator(settings: Settings): Promise<FleetBackend> {
  const workers = { ...settings.workers, count: 1, minimum: 1 };
  const isChosen = settings.backend.traits.kind === DEFAULT_KIND.kind;
  const beside = isChosen ? settings.backend : DEFAULT_KIND.schema.parse({});
  return beside.connect({ ...settings, workers, price: null });
}

/**
 * @param pin of a run. Null: there is no pin yet, or no run has the fleet
 * @throws RunFailed when the run has a fleet of another kind than the settings choose
 */
function requireKind(pin: FleetPin | null, chosen: Pick<FleetTraits, 'kind'>): void {
  const kind = pin?.kind ?? chosen.kind;
  if (kind === chosen.kind) return;
  const known = FLEET_KINDS.find((candidate) => candidate.kind === kind);
  if (known === undefined)
    throw new RunFailed(
      `the run has a fleet of the kind ${kind}. This version does not know that kind (it knows ${FLEET_KINDS.map((candidate) => candidate.kind).join(', ')}): carry it on with the version that began it`,
    );
  throw new RunFailed(
    `the run has a fleet of the kind ${kind}, but these settings choose the kind ${chosen.kind} and lack the section ${known.section}: carry it on with the settings that it began with`,
  );
}

/**
 * The pin of a fleet whose instances may have outlived their run. Null when there is none, or when the workers ended
 * with their process.
 */
export function pinLeftBehind(pin: FleetPin | null): FleetPin | null {
  return FLEET_KINDS.find(({ kind }) => kind === pin?.kind)?.outlivesProcess === false ? null : pin;
}

/** @throws RunFailed when a run's journal does not say which fleet it has */
export function pinOf({ pin }: { readonly pin: FleetPin | null }): FleetPin {
  if (pin !== null) return pin;
  throw new RunFailed(
    'the journal does not say which fleet the run has: end the run with `reindex-fleet abandon` and begin another',
  );
}
