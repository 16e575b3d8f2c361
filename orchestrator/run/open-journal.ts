import { systemClock } from '../clock.ts';
import type { Journal } from '../journal/place.ts';
import { placeOf } from '../journal/places.ts';
import type { Environment, Settings } from '../settings.ts';
import { journalFolder } from './journal-folder.ts';

/** Opens a fleet's journal in the place that the settings name. It makes no call yet. */
export function openJournal(
  settings: Pick<Settings, 'journal' | 'target' | 'fleet' | 'aws'>,
  environment: Environment,
): Journal {
  const { journal, fleet, aws } = settings;
  const url = journal.url ?? journalFolder(settings, environment);
  return placeOf(url).open(url, { fleet, aws, clock: systemClock });
}
