import type { StackSettings } from '../settings/schema.ts';

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html */
export const MOST_SECONDS = 900;
/** Beside what a sweep waits for: one that finds nothing takes seconds, one that ends a thousand instances about a minute. */
export const WORK_SECONDS = 270;

/** How long a sweep may take: it outlasts a dead holder's lock, ends what it finds, and looks whether that is gone. */
export function sweepTimeLimitSeconds({ journal, aws }: Pick<StackSettings, 'journal' | 'aws'>): number {
  return WORK_SECONDS + Math.ceil((journal.lease_ms + aws.zero_quiet_ms) / 1_000);
}
