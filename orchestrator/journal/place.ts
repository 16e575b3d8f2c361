import type { AwsSettings } from '../aws/aws-settings.ts';
import type { Clock } from '../clock.ts';
import type { JournalStore } from './store.ts';

/** One kind of place that journals may be in. */
export interface JournalPlace {
  /** What its URLs begin with, before `://`. Null when they are paths of folders. */
  readonly scheme: string | null;
  /** How a person writes its URL. */
  readonly form: string;
  /** True when it is on AWS. Then the settings must say where. */
  readonly needsAws: boolean;
  /** What is wrong with a URL of this kind, as a sentence. Null when nothing is. */
  faultIn(url: string): string | null;
  /** Makes a URL absolute that is relative to a folder. */
  absolute(url: string, folder: string): string;
  /** Opens a journal. It makes no call yet. */
  open(url: string, options: PlaceOptions): Journal;
}

export interface PlaceOptions {
  /** The fleet that the journal belongs to. Its name follows the URL. */
  readonly fleet: string;
  readonly aws: Pick<AwsSettings, 'region' | 'profile'> | null;
  readonly clock: Clock;
}

export interface Journal {
  readonly store: JournalStore;
  /**
   * Checks that the journal gives a run everything that it needs. A folder shows that as it is used.
   *
   * @throws RunFailed that names every fault
   */
  check(): Promise<void>;
  /** Closes its connections, for a process that goes on. */
  close(): void;
}
