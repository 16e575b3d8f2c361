import type { Phase } from '../reconcile/phases.ts';
import type { Progress } from './progress.ts';

/** Reports to a person or a log what a run does. It never fails: a closed output changes nothing else. */
export interface Reporter {
  phaseStarted(phase: Phase | 'services'): void;
  /** `note` gives the result in a few words. */
  phaseFinished(phase: Phase | 'services', seconds: number, note: string): void;
  progress(progress: Progress): void;
  note(message: string, details?: Readonly<Record<string, unknown>>): void;
  warning(message: string, details?: Readonly<Record<string, unknown>>): void;
  /** Reports the failure that ended the command. */
  failure(message: string, details?: Readonly<Record<string, unknown>>): void;
  /** Ends the live display, so that later output stands below it. */
  close(): void;
}
