import type { z } from 'zod';
import type { CommonSettings, WrittenCommonSettings } from '../common-settings.ts';
import type { Billing } from '../reconcile/billing.ts';
import type { FleetBackend } from './fleet-backend.ts';

/** What is always so of a kind of fleet, whatever its settings say. */
export interface FleetTraits {
  /** In pins. */
  readonly kind: string;
  /** Its section of the settings, which chooses it. */
  readonly section: string;
  /** Its workers, for sentences: `Workers on …`. */
  readonly workersWords: string;
  /** Its workers reach services that listen on this machine alone. */
  readonly reachesThisMachine: boolean;
  /** Its instances go on for a while without this process, and wait for a resume. */
  readonly outlivesProcess: boolean;
  /** Somebody is paid for its instances: what a run has used of them is told also where nobody says a price. */
  readonly isPaidFor: boolean;
  readonly billing: Billing;
  /** Settings of earlier versions, by the section that they stood in, which are in this kind's section by now. */
  readonly formerNames: Readonly<Record<string, readonly string[]>>;
}

/** All that one kind of fleet is, with settings of the form `Section`. */
export interface FleetKindOptions<Section> extends FleetTraits {
  readonly schema: z.ZodType<Section>;
  /** What in the other settings does not go with it, a sentence each. */
  readonly faultsWith: (common: WrittenCommonSettings) => readonly string[];
  /** `sweep` leaves the fleet of an unfinished run alone for so long after its last word. */
  readonly sweepGraceMs: (section: Section) => number;
  /** Loads what only this kind needs, the cloud's SDK for one. */
  readonly connect: (section: Section, common: CommonSettings) => Promise<FleetBackend>;
}

/** One kind of fleet, as the registry has it. */
export interface FleetKind extends FleetTraits {
  /** Its section of the settings, whatever is in it. */
  readonly schema: z.ZodType<ChosenFleet>;
}

export function fleetKind<Section>(options: FleetKindOptions<Section>): FleetKind {
  const schema = options.schema.transform((section) => chosenFleet(options, section));
  return { ...options, schema };
}

/** The fleet that settings have chosen, with its own settings inside. Nothing of it is loaded or asked yet. */
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
