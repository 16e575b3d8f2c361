import { z } from 'zod';
import type { Counts } from './counts.ts';
import { PHASE_NAMES, type Phase, phaseSchema, type Phases } from './phases.ts';

/** Figures of a whole run: over all its processes, and also of passes whose target was lost. */
export const runTotalsSchema = z.strictObject({
  /** The seconds that processes worked on each phase. */
  phaseSeconds: z.partialRecord(phaseSchema, z.number()),
  retries: z.int().min(0),
  bytesSent: z.int().min(0),
});

export type RunTotals = z.infer<typeof runTotalsSchema>;

export const NO_TOTALS: RunTotals = { phaseSeconds: {}, retries: 0, bytesSent: 0 };

/** Adds a stretch of work on a phase. Clocks of two processes may differ, so no stretch is less than nothing. */
export function withPhaseTime(
  totals: RunTotals,
  phase: Phase,
  { from, to }: { readonly from: string; readonly to: string },
): RunTotals {
  const seconds = Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
  const before = totals.phaseSeconds[phase] ?? 0;
  return { ...totals, phaseSeconds: { ...totals.phaseSeconds, [phase]: before + seconds } };
}

export function withCounts(totals: RunTotals, { retries, bytesSent }: Counts): RunTotals {
  return { ...totals, retries: totals.retries + retries, bytesSent: totals.bytesSent + bytesSent };
}

/** The totals of a snapshot that an earlier version wrote, as far as it knows them. */
export function totalsFrom(phases: Phases, passes: readonly Counts[]): RunTotals {
  const counted = passes.reduce(withCounts, NO_TOTALS);
  return PHASE_NAMES.reduce((totals, phase) => {
    const { startedAt, finishedAt = null } = phases[phase] ?? {};
    if (startedAt === undefined || finishedAt === null) return totals;
    return withPhaseTime(totals, phase, { from: startedAt, to: finishedAt });
  }, counted);
}
