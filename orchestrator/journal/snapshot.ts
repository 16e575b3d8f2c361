import { z } from 'zod';
import { passSchema } from '../passes/pass.ts';
import { countsSchema } from '../reconcile/counts.ts';
import { fleetPinSchema } from '../reconcile/fleet-pin.ts';
import { workOrder } from '../reconcile/fold-events.ts';
import { runIdentitySchema } from '../reconcile/identity.ts';
import { instant } from '../reconcile/instant.ts';
import { phasesSchema } from '../reconcile/phases.ts';
import { aliasHolderSchema, promotionSchema, rollbackSchema } from '../reconcile/promotion.ts';
import { rangeStateSchema } from '../reconcile/range-state.ts';
import type { RunPlan } from '../reconcile/run-plan.ts';
import { runResultSchema } from '../reconcile/run-result.ts';
import { type RunTotals, runTotalsSchema, totalsFrom } from '../reconcile/run-totals.ts';
import type { RunState } from '../reconcile/state.ts';

const count = z.int().min(0);

const terminationSchema = z.strictObject({
  decrement: z.boolean(),
  replaced: z.boolean(),
  reason: z.string(),
});

const instanceTimesSchema = z.strictObject({
  launchedAt: instant,
  endedAt: instant.nullable(),
  seen: z.boolean(),
});

function entries<T extends z.ZodType>(value: T) {
  return z.array(z.tuple([z.string(), value])).readonly();
}

/**
 * A run's state as plain JSON, without its plan. The plan of 100,000 ranges has megabytes and never changes, so it has
 * its own segment.
 */
export const snapshotSchema = z.strictObject({
  /** The number of the segment that holds the plan. 0 when there is none yet. */
  planSegment: count,
  identity: runIdentitySchema.nullable(),
  phases: phasesSchema,
  pass: passSchema.nullable(),
  lastPass: count,
  given: count,
  open: z.array(rangeStateSchema).readonly(),
  cuts: count,
  counts: countsSchema,
  earlierPasses: z.array(z.strictObject({ pass: passSchema, counts: countsSchema })).readonly(),
  /** Snapshots of schema 4 have none. */
  totals: runTotalsSchema.optional(),
  readTwice: z.array(z.string()).readonly(),
  pin: fleetPinSchema.nullable(),
  /** The instances that had ended when the fleet was seen at zero. Null when it was not yet seen at zero. */
  earlier: z.array(z.string()).readonly().nullable(),
  instances: entries(instanceTimesSchema),
  capacity: z.strictObject({ workers: count, reason: z.string() }).nullable(),
  desired: count,
  /** Runs that began before workers were drained have none. */
  drains: z.record(z.string(), z.string()).default({}),
  terminations: z.record(z.string(), terminationSchema),
  replacements: count,
  stopped: z.string().nullable(),
  promotionIntents: entries(z.array(aliasHolderSchema).readonly()),
  promotions: entries(promotionSchema),
  rolledBack: rollbackSchema.nullable(),
  result: runResultSchema.nullable(),
  abandoned: z.boolean(),
});
export type Snapshot = z.infer<typeof snapshotSchema>;

export function packState(state: RunState, planSegment: number): Snapshot {
  const { plan: _, order: __, open, readTwice, instances, cleared, ...rest } = state;
  return {
    ...rest,
    planSegment,
    drains: { ...state.drains },
    terminations: { ...state.terminations },
    open: [...open.values()],
    readTwice: [...readTwice],
    instances: [...instances],
    earlier: cleared === null ? null : [...cleared.earlier],
    promotionIntents: [...state.promotionIntents],
    promotions: [...state.promotions],
  };
}

export function unpackState(snapshot: Snapshot, plan: RunPlan | null): RunState {
  const { planSegment: _, open, readTwice, instances, earlier, totals, ...rest } = snapshot;
  return {
    ...rest,
    totals: totals ?? totalsOf(rest),
    plan,
    order: rest.pass === null ? [] : workOrder(plan, rest.pass.reads),
    open: new Map(open.map((range) => [range.id, range])),
    readTwice: new Set(readTwice),
    instances: new Map(instances),
    cleared: earlier === null ? null : { earlier: new Set(earlier) },
    promotionIntents: new Map(rest.promotionIntents),
    promotions: new Map(rest.promotions),
  };
}

function totalsOf({
  phases,
  earlierPasses,
  counts,
}: Pick<RunState, 'phases' | 'earlierPasses' | 'counts'>): RunTotals {
  return totalsFrom(phases, [...earlierPasses.map((ended) => ended.counts), counts]);
}
