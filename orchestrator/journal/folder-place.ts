import { join, resolve } from 'node:path';
import type { Clock } from '../clock.ts';
import { certainStore } from './certain-store.ts';
import { openFileStore } from './file-store.ts';
import type { Journal, JournalPlace } from './place.ts';

/** A folder of this machine, or one that several machines share. */
export const folderPlace: JournalPlace = {
  scheme: null,
  form: 'a folder',
  needsAws: false,
  faultIn: () => null,
  absolute: (url, folder) => resolve(folder, url),
  open: (url, { fleet, clock }) => openFolderJournal(join(url, fleet), clock),
};

/** Opens the journal of one fleet, in a folder of its own. */
function openFolderJournal(folder: string, clock: Clock): Journal {
  const store = certainStore(openFileStore(folder), clock);
  return { store, check: () => Promise.resolve(), close: () => {} };
}
