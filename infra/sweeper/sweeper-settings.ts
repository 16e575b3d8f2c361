import { Faults } from '../../definition/faults.ts';
import { UsageFault } from '../../orchestrator/errors.ts';
import { placeOf } from '../../orchestrator/journal/places.ts';
import { type Environment, parseSettings, type Settings } from '../../orchestrator/settings.ts';

/** The function's variable that holds the orchestrator's settings, as JSON; all variables together may have 4 KB. */
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
 * @throws UsageFault when there are none, or the interval is no number
 * @throws Faults with every fault at once
 */
export function sweeperSettings(environment: Environment): SweeperSettings {
  const text = environment[SETTINGS_VARIABLE] ?? '';
  if (text === '')
    throw new UsageFault(`${SETTINGS_VARIABLE} is not set: give it the orchestrator's settings as JSON`);
  const settings = parseSettings(text, SETTINGS_VARIABLE);
  const { backend, journal } = settings;
  if (!backend.traits.outlivesProcess)
    throw fault(
      '',
      `A scheduled sweep needs a fleet that goes on without its orchestrator to look after. ${backend.traits.workersWords} end with theirs.`,
    );
  if (journal.url === null || placeOf(journal.url).scheme === null)
    throw fault('journal.url', 'A function has no folder: the journal must be in a bucket.');
  return { settings, intervalMs: intervalMs(environment) };
}

function intervalMs(environment: Environment): number {
  const minutes = environment[INTERVAL_VARIABLE] ?? USUAL_INTERVAL;
  if (!/^[1-9][0-9]{0,3}$/.test(minutes))
    throw new UsageFault(`${INTERVAL_VARIABLE} is a number of minutes from 1 to 9999, not "${minutes}"`);
  return Number(minutes) * 60_000;
}

function fault(path: string, message: string): Faults {
  return new Faults([{ file: SETTINGS_VARIABLE, line: null, column: null, path, message }]);
}
