import { z } from 'zod';
import { instant } from './instant.ts';

/** What keeps the oldest open transaction from being known. */
const doubtSchema = z.enum(['replica', 'hidden_sessions', 'prepared_transactions', 'subscription']);

/**
 * The moment from which on changes may be missing in what a pass reads. It is taken before the pass reads. A row that
 * the pass does not see was written by a transaction that was open then, or began later.
 */
export const cutoffSchema = z.strictObject({
  /** When it was taken, by the database's clock. */
  at: instant,
  /** When the oldest transaction began that was open then. The same as `at` when none was open. */
  oldest: instant,
  doubts: z.array(doubtSchema).readonly(),
});

export type Cutoff = z.infer<typeof cutoffSchema>;
type Doubt = z.infer<typeof doubtSchema>;

/** Rows may get their `changed_at` from the clocks of other machines. */
const MARGIN_MS = 60_000;
/** A transaction that cannot be seen is taken to be open for no longer than this. */
const UNSEEN_MS = 3_600_000;
/** Some tables keep `changed_at` in whole seconds. */
const COARSE_MS = 1_000;

/** Rows that have changed since then may have been read too early. In ISO 8601. */
export function changedSinceOf({ oldest, doubts }: Cutoff): string {
  const marginMs = MARGIN_MS + (doubts.length === 0 ? 0 : UNSEEN_MS);
  return new Date(Date.parse(oldest) - marginMs).toISOString();
}

/**
 * From this version on, in microseconds since 1970, an equal version does not prove that a row was read last, if the
 * version is a whole second: the row may have changed twice within it.
 */
export function doubtfulVersionFrom({ oldest }: Cutoff): bigint {
  return BigInt(Date.parse(oldest) - COARSE_MS) * 1_000n;
}

const WORDS: Readonly<Record<Doubt, string>> = {
  replica: 'it was read from a replica, which does not show the primary’s open transactions',
  hidden_sessions:
    'this role does not see when other sessions’ transactions began (GRANT pg_read_all_stats to it)',
  prepared_transactions: 'a prepared transaction does not say when it began',
  subscription: 'rows that a subscription applies keep the times of another server',
};

/** Says what a cutoff does not cover. Null when it covers every transaction. */
export function doubtWords({ doubts }: Cutoff): string | null {
  if (doubts.length === 0) return null;
  const reasons = doubts.map((doubt) => WORDS[doubt]).join('; ');
  return `changes of transactions that were open for more than an hour may be missing, because ${reasons}`;
}
