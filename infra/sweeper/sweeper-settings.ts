import { type Fault, Faults } from '../../definition/faults.ts';
import { UsageFault } from '../../orchestrator/errors.ts';
import { FLEET_KINDS } from '../../orchestrator/fleet/kinds.ts';
import { placeOf } from '../../orchestrator/journal/places.ts';
import { type Environment, parseSettings, type Settings } from '../../orchestrator/settings.ts';

/** The function's variable that has the orchestrator's settings, as JSON. All variables together may have 4 KB. */
export const SETTINGS_VARIABLE = 'REINDEX_FLEET_SETTINGS';

/** The function's variable that says in minutes how often it is invoked. */
export const INTERVAL_VARIABLE = 'REINDEX_SWEEP_EVERY_MINUTES';
const USUAL_INTERVAL = '15';

export interface SweeperSettings {
  readonly settings: Settings;
  /** Between two sweeps. */
  readonly intervalMs: number;
}

/**
 * @throws UsageFault if there are no settings, or the interval is not a number
 * @throws Faults with every fault at once
 */
export function sweeperSettings(environment: Environment): SweeperSettings {
  const text = environment[SETTINGS_VARIABLE] ?? '';
  if (text === '')
    throw new UsageFault(`${SETTINGS_VARIABLE} is not set: give it the orchestrator's settings as JSON`);
  const settings = parseSettings(text, SETTINGS_VARIABLE);
  const faults = [...fleetFaults(settings), ...journalFaults(settings)];
  if (faults.length > 0) throw new Faults(faults);
  return { settings, intervalMs: intervalMs(environment) };
}

function intervalMs(environment: Environment): number {
  const minutes = environment[INTERVAL_VARIABLE] ?? USUAL_INTERVAL;
  if (!/^[1-9][0-9]{0,3}$/.test(minutes))
    throw new UsageFault(`${INTERVAL_VARIABLE} is a number of minutes from 1 to 9999, not "${minutes}"`);
  return Number(minutes) * 60_000;
}

function fleetFaults({ backend }: Settings): Fault[] {
  const { outlivesProcess, workersWords } = backend.traits;
  if (outlivesProcess) return [];
  const sections = FLEET_KINDS.filter((kind) => kind.outlivesProcess).map(({ section }) => section);
  return [
    fault(
      '',
      `A scheduled sweep needs a fleet whose workers can outlive the orchestrator. Write the section of such a fleet: ${sections.join(', ')}. ${workersWords} end with the orchestrator.`,
    ),
  ];
}

function journalFaults({ journal: { url } }: Settings): Fault[] {
  if (url !== null && placeOf(url).scheme !== null) return [];
  return [
    fault(
      'journal.url',
      'A Lambda function keeps no folder. The journal must be in a bucket: write s3://bucket/prefix.',
    ),
  ];
}

function fault(path: string, message: string): Fault {
  return { file: SETTINGS_VARIABLE, line: null, column: null, path, message };
}
