import type { z } from 'zod';
import { section } from '../definition/section.ts';
import { commonShape, EMBEDDED, type WrittenCommonSettings } from './common-settings.ts';
import { ChosenFleet } from './fleet/fleet-kind.ts';
import { FLEET_KINDS, DEFAULT_KIND } from './fleet/kinds.ts';
import { placeOf } from './journal/places.ts';

/** The section of every kind of fleet. At most one of them is present (`settings-form.ts`). */
const fleetSections: Readonly<Record<string, z.ZodType>> = Object.fromEntries(
  FLEET_KINDS.map((kind) => [kind.section, kind.schema.optional()]),
);
const SECTION_NAMES = FLEET_KINDS.map((kind) => kind.section).join(', ');

const wholeShape: typeof commonShape = { ...commonShape, ...fleetSections };

/** The whole settings: those of every run, and the fleet that the settings choose. */
export const settingsSchema = section(
  wholeShape,
  undefined,
  ` One of these sections says where workers run: ${SECTION_NAMES}.`,
)
  .superRefine((written, context) => {
    for (const [path, message] of faultsTogether(written))
      context.addIssue({ code: 'custom', path: path.split('.'), message });
  })
  .transform((written) => ({
    ...written,
    backend: sectionsIn(written)[0]?.[1] ?? DEFAULT_KIND.schema.parse({}),
  }));

type FaultAtPath = readonly [path: string, message: string];

/** Finds settings that contradict each other. */
function faultsTogether(written: WrittenCommonSettings): FaultAtPath[] {
  const { aws, journal, workers } = written;
  const chosen = sectionsIn(written);
  const lacksRegion = journal.url !== null && placeOf(journal.url).needsAws && aws === null;
  return [
    ...(workers.minimum > workers.count
      ? [['workers.minimum', `At most workers.count, ${workers.count}.`] as const]
      : []),
    ...(lacksRegion
      ? [
          [
            'journal.url',
            'A journal in S3 needs a region: write it, e.g. aws: { region: eu-central-1 }.',
          ] as const,
        ]
      : []),
    ...chosen.flatMap(([name, fleet]) => [
      ...fleet.faultsWith(written).map((message): FaultAtPath => [name, message]),
      ...unreachable(fleet, written),
    ]),
  ];
}

function unreachable({ traits }: ChosenFleet, { source, target }: WrittenCommonSettings): FaultAtPath[] {
  if (traits.reachesThisMachine) return [];
  const message = `${traits.workersWords} cannot reach an embedded service of this machine: write a URL that they can reach.`;
  return [
    ...(source.url === EMBEDDED ? [['source.url', message] as const] : []),
    ...(target.url === EMBEDDED ? [['target.url', message] as const] : []),
  ];
}

/** The sections that choose a fleet. */
function sectionsIn(written: object): (readonly [string, ChosenFleet])[] {
  return Object.entries(written).flatMap(([name, value]) =>
    value instanceof ChosenFleet ? [[name, value] as const] : [],
  );
}
