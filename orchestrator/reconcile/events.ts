import { z } from 'zod';
import { passSchema } from '../passes/pass.ts';
import { countsSchema } from './counts.ts';
import { fleetPinSchema } from './fleet-pin.ts';
import { runIdentitySchema } from './identity.ts';
import { instant } from './instant.ts';
import { keyText } from './key-text.ts';
import { phaseFinishedSchema, phaseSchema } from './phases.ts';
import { aliasHolderSchema, promotionSchema, rollbackSchema } from './promotion.ts';
import { runPlanSchema } from './run-plan.ts';
import { runResultSchema } from './run-result.ts';

const count = z.int().min(0);
const name = z.string().min(1);

/**
 * What a task had settled when it ended or was lost. `through` is the last settled key, inclusive; null when there is
 * none. `outcome` says whether the whole range is done, the rest waits again, or the range has failed. With `charged`,
 * the attempt counts against the range.
 */
const settledSchema = z.strictObject({
  type: z.literal('settled'),
  range: name,
  task: z.string(),
  through: keyText.nullable(),
  counts: countsSchema,
  outcome: z.enum(['done', 'rest_waits', 'failed']),
  charged: z.boolean(),
  reason: z.string().nullable(),
});

/**
 * What a run's journal records. An event that stands for a call is written before the call. What is then seen is
 * another event. Events are JSON, and their meaning never changes: a new meaning is a new type.
 */
export const runEventSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('run_started'), ...runIdentitySchema.shape }),
  /** `broken_off_at` is when an earlier process, which began the phase and did not end it, last wrote something. */
  z.strictObject({
    type: z.literal('phase_started'),
    phase: phaseSchema,
    at: instant,
    broken_off_at: instant.optional(),
  }),
  phaseFinishedSchema,
  z.strictObject({ type: z.literal('planned'), ...runPlanSchema.shape }),
  z.strictObject({ type: z.literal('pass_opened'), pass: passSchema }),
  z.strictObject({ type: z.literal('pass_resumed') }),
  z.strictObject({ type: z.literal('target_lost'), reason: z.string() }),
  z.strictObject({
    type: z.literal('assigned'),
    range: name,
    attempt: z.int().min(1),
    instance: name,
    task: name,
  }),
  settledSchema,
  /** The task's end is to move down to `at`. Its status shows whether it did. */
  z.strictObject({ type: z.literal('cut_intended'), range: name, task: name, at: keyText }),
  /** The task's end has moved. From `at` on there is a range of its own, `rest`, with about `rows` rows. */
  z.strictObject({
    type: z.literal('cut'),
    range: name,
    task: name,
    at: keyText,
    rest: name,
    rows: z.number().min(0),
  }),
  /** The task's end has not moved, because the task had read too far. */
  z.strictObject({ type: z.literal('cut_refused'), range: name, task: name }),
  /** What the run's workers are launched from. */
  z.strictObject({ type: z.literal('fleet_pinned'), pin: fleetPinSchema }),
  /** The fleet was seen at zero, so everything launched from now on is this run's. `earlier` had ended by then. */
  z.strictObject({ type: z.literal('fleet_cleared'), earlier: z.array(z.string()).readonly() }),
  /** An instance of this run. Times are by the cloud's clock. */
  z.strictObject({ type: z.literal('instance_launched'), instance: name, at: instant }),
  /** With `seen` the instance was seen to end. Otherwise it was only found gone, and may have ended long before. */
  z.strictObject({ type: z.literal('instance_ended'), instance: name, at: instant, seen: z.boolean() }),
  /** The cloud had no more instances. The pass goes on with this many workers. */
  z.strictObject({ type: z.literal('capacity_limited'), workers: count, reason: z.string() }),
  z.strictObject({ type: z.literal('desired_set'), count }),
  /** The worker is told to take no more tasks, and then its instance is to be ended. */
  z.strictObject({ type: z.literal('draining'), instance: name, reason: z.string() }),
  z.strictObject({
    type: z.literal('terminating'),
    instance: name,
    decrement: z.boolean(),
    replaced: z.boolean(),
    reason: z.string(),
  }),
  z.strictObject({ type: z.literal('stopped'), reason: z.string() }),
  /** The alias of the target with this index is to move. `expected` is where it pointed when that was decided. */
  z.strictObject({
    type: z.literal('promotion_intended'),
    index: name,
    expected: z.array(aliasHolderSchema).readonly(),
  }),
  z.strictObject({ type: z.literal('promoted'), index: name, record: promotionSchema }),
  /** All recorded moves of the run were reversed. */
  z.strictObject({ type: z.literal('rolled_back'), ...rollbackSchema.shape }),
  z.strictObject({ type: z.literal('finished'), at: instant, result: runResultSchema }),
  z.strictObject({ type: z.literal('abandoned'), at: instant }),
]);

export type RunEvent = z.infer<typeof runEventSchema>;
export type SettledEvent = z.infer<typeof settledSchema>;
