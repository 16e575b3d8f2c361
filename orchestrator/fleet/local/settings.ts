import type { z } from 'zod';
import { section } from '../../../definition/section.ts';
import { ms } from '../../setting-types.ts';

/** Worker processes of this machine. */
export const localSection = section({
  /** The pause between two looks at the workers. */
  poll_interval_ms: ms(250),
  /** The longest time from the start of a process to a worker that answers as ready. */
  ready_timeout_ms: ms(60_000),
  /** A worker that hears nothing from an orchestrator for this long ends itself. */
  lease_ms: ms(60_000),
});

export type LocalSettings = z.output<typeof localSection>;
