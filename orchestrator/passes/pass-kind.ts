import type { RunContext } from '../run/context.ts';
import type { Pass } from './pass.ts';

/**
 * What one kind of pass does beside what every pass does (`conduct-pass.ts`). A new kind is a folder and a line in
 * `kinds.ts`.
 */
export interface PassKind {
  /** Prepares the targets for a pass that has read nothing yet, before its write aliases exist. It may be repeated. */
  prepare(context: RunContext, pass: Pass): Promise<void>;
}
