import type { AwsSettings } from '../aws/aws-settings.ts';
import type { Clock } from '../clock.ts';
import type { JournalStore } from './store.ts';

/** One kind of place that journals may be in. */
export interface JournalPlace {
  /** What its URLs begin with, before `://`; null: they are paths of folders. */
  readonly scheme: string | null;
  /** How a person writes one. */
  readonly form: string;
  /** It is on AWS: the settings must say where. */
  readonly needsAws: boolean;
  /** What is wrong with a URL of it, as a sentence; null: nothing. */
  faultIn(url: string): string | null;
  /** The URL with the folder that it is relative to; one that is whole stays as it is. */
  absolute(url: string, folder: string): string;
  /** Nothing is asked yet. */
  open(url: string, options: PlaceOptions): Journal;
}

export interface PlaceOptions {
  /** Whose journal it is: its name follows the URL. */
  readonly fleet: string;
  readonly aws: Pick<AwsSettings, 'region' | 'profile'> | null;
  readonly clock: Clock;
}

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
