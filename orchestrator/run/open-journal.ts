import { Faults } from '../../definition/faults.ts';
import { type AwsClients, openAws } from '../aws/clients.ts';
import { type Clock, systemClock } from '../clock.ts';
import { RunFailed } from '../errors.ts';
import { certainStore } from '../journal/certain-store.ts';
import { checkStore } from '../journal/check-store.ts';
import { openFileStore } from '../journal/file-store.ts';
import { openS3Store } from '../journal/s3-store.ts';
import type { JournalStore } from '../journal/store.ts';
import type { Environment, Settings } from '../settings.ts';
import { journalFolder } from './journal-folder.ts';

export interface Journal {
  readonly store: JournalStore;
  /**
   * Whether it gives all that a run will need of it; a folder shows that as it is used.
   *
   * @throws RunFailed that names every fault
   */
  check(): Promise<void>;
  /** Ends its connections; for a process that goes on. */
  close(): void;
}

/**
 * A fleet's journal: in the bucket that the settings name, below `<prefix>/<fleet>`, else in a folder. Nothing is asked yet.
 *
 * @throws Faults when the settings name both
 */
export function openJournal(settings: Settings, environment: Environment): Journal {
  const { aws, fleet } = settings;
  if (aws === null || aws.journal_bucket === null) {
    const store = certainStore(openFileStore(journalFolder(settings, environment)), systemClock);
    return { store, check: () => Promise.resolve(), close: () => {} };
  }
  if (settings.journal.directory !== null) throw twoPlaces(settings);
  const place = { bucket: aws.journal_bucket, prefix: aws.journal_prefix, fleet };
  const clients = openAws(aws.region);
  const store = openBucketJournal(clients, place, systemClock);
  return {
    store,
    check: async () => {
      const faults = await checkStore(store);
      if (faults.length > 0) throw new RunFailed(faults.join('\n'));
    },
    close: () => clients.close(),
  };
}

/** Where in a bucket a fleet's journal lies, as the settings say. */
export interface BucketJournal {
  readonly bucket: string;
  /** What the keys begin with; slashes at its ends do not count. The fleet's name follows. */
  readonly prefix: string;
  readonly fleet: string;
}

/** Nothing is asked yet. */
export function openBucketJournal(
  aws: AwsClients,
  { bucket, prefix, fleet }: BucketJournal,
  clock: Clock,
): JournalStore {
  const whole = [...prefix.split('/'), fleet].filter((part) => part !== '').join('/');
  return certainStore(openS3Store(aws, { bucket, prefix: whole }), clock);
}

function twoPlaces({ file }: Settings): Faults {
  const message =
    'aws.journal_bucket keeps the journal in a bucket, and journal.directory (or --journal, or REINDEX_JOURNAL) names a folder for it: keep one of them.';
  return new Faults([{ file, line: null, column: null, path: 'journal.directory', message }]);
}
