import type { z } from 'zod';
import type { CommonSettings, WrittenCommonSettings } from '../common-settings.ts';
import type { Billing } from '../reconcile/billing.ts';
import type { FleetBackend } from './fleet-backend.ts';

/** What is true of a kind of fleet whatever its settings say. */
export interface FleetTraits {
  /** The kind's name in pins. */
  readonly kind: string;
  /** The section of the settings that chooses this kind. */
  readonly section: string;
  /** Names the kind's workers in sentences: `Workers on …`. */
  readonly workersWords: string;
  /** True when its workers reach services that listen on this machine alone. */
  readonly reachesThisMachine: boolean;
  /** True when its instances go on for a while without this process and wait for it to come back. */
  readonly outlivesProcess: boolean;
  /** True when somebody pays for its instances. Then the use of them is reported even where no price is set. */
  readonly isPaidFor: boolean;
  readonly billing: Billing;
  /** Settings of earlier versions that are now in this kind's section, by the section that they stood in. */
  readonly formerNames: Readonly<Record<string, readonly string[]>>;
}

/** Everything that one kind of fleet is, with settings of the form `Section`. */
export interface FleetKindOptions<Section> extends FleetTraits {
  readonly schema: z.ZodType<Section>;
  /** What in the other settings does not fit this kind, a sentence each. */
  readonly faultsWith: (common: WrittenCommonSettings) => readonly string[];
  /** How long `sweep` leaves the fleet of an unfinished run alone after the run's last word. */
  readonly sweepGraceMs: (section: Section) => number;
  /** Loads what only this kind needs, for example the cloud's SDK. */
  readonly connect: (section: Section, common: CommonSettings) => Promise<FleetBackend>;
}

/** One kind of fleet in the list of kinds. */
export interface FleetKind extends FleetTraits {
  /** The schema of its section of the settings. */
  readonly schema: z.ZodType<ChosenFleet>;
}

export function fleetKind<Section>(options: FleetKindOptions<Section>): FleetKind {
  const schema = options.schema.transform((section) => chosenFleet(options, section));
  return { ...options, schema };
}

/** The fleet that the settings choose, with its own settings inside. Nothing is loaded or called yet. */
export class ChosenFleet {
  readonly traits: FleetTraits;
  readonly sweepGraceMs: number;
  readonly faultsWith: (common: WrittenCommonSettings) => readonly string[];
  readonly connect: (common: CommonSettings) => Promise<FleetBackend>;

  constructor(fleet: Pick<ChosenFleet, 'traits' | 'sweepGraceMs' | 'faultsWith' | 'connect'>) {
    this.traits = fleet.traits;
    this.sweepGraceMs = fleet.sweepGraceMs;
    this.faultsWith = fleet.faultsWith;
    this.connect = fleet.connect;
  }
}

function chosenFleet<Section>(options: FleetKindOptions<Section>, section: Section): ChosenFleet {
  return new ChosenFleet({
    traits: options,
    sweepGraceMs: options.sweepGraceMs(section),
    faultsWith: options.faultsWith,
    connect: (common) => options.connect(section, common),
  });
}
