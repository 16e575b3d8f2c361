import type { RunContext } from '../run/context.ts';
import type { Pass } from './pass.ts';

/** What one kind of pass does beside what every pass does (`conduct-pass.ts`). A new kind is a folder and a line in `kinds.ts`. */
export interface PassKind {
  /**
   * Makes the targets ready for a pass of which nothing was read yet, before its write aliases are there. May be repeated.
   */
  prepare(context: RunContext, pass: Pass): Promise<void>;
}
