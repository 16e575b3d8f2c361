import type { Phase } from '../reconcile/phases.ts';
import type { Progress } from './progress.ts';

/** Where a run tells a person or a log what it does. It never fails: a closed output changes nothing else. */
export interface Reporter {
  phaseStarted(phase: Phase | 'services'): void;
  /** `note` says in a few words what came of it. */
  phaseFinished(phase: Phase | 'services', seconds: number, note: string): void;
  progress(progress: Progress): void;
  note(message: string, details?: Readonly<Record<string, unknown>>): void;
  warning(message: string, details?: Readonly<Record<string, unknown>>): void;
  /** The one thing that ended the command. */
  failure(message: string, details?: Readonly<Record<string, unknown>>): void;
  /** Ends the live display, so that what follows stands below it. */
  close(): void;
}
