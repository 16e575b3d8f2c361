import { z } from 'zod';
import { type RunEvent, runEventSchema } from '../reconcile/events.ts';
import type { FleetPin } from '../reconcile/fleet-pin.ts';
import type { RunTarget } from '../reconcile/identity.ts';
import { phaseSchema } from '../reconcile/phases.ts';
import { aliasHolderSchema, promotionSchema, reversalSchema } from '../reconcile/promotion.ts';
import { runPlanSchema } from '../reconcile/run-plan.ts';
import { finishedPhase, flatCountsSchema, presentCounts, presentResult } from './earlier-records.ts';

/**
 * Journals of schema 2 and 3, from versions before passes and lists of targets. A run had one index, and its events did
 * not name it. Their events are read with the meaning that they had then. Their snapshots are not read.
 */

const record = z.record(z.string(), z.unknown());

const changedSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('run_started'),
    run: z.string(),
    runKey: z.string(),
    fleet: z.string(),
    alias: z.string(),
    definition: z.string(),
    definitionDigest: z.string(),
    build: z.string(),
    source: z.string().default(''),
    startedAt: z.string(),
    rows: z.number(),
    rowsExact: z.boolean(),
  }),
  z.object({ type: z.literal('phase_finished'), phase: phaseSchema, at: z.string(), record }),
  z.object({ type: z.literal('planned'), ...runPlanSchema.omit({ keyKind: true }).shape }),
  z.object({
    type: z.literal('pass_opened'),
    pass: z.int().min(1),
    numbers: z.array(z.string()).nullable(),
  }),
  z.object({
    type: z.literal('settled'),
    range: z.string(),
    task: z.string(),
    through: z.string().nullable(),
    counts: flatCountsSchema,
    outcome: z.enum(['done', 'rest_waits', 'failed']),
    charged: z.boolean(),
    reason: z.string().nullable(),
  }),
  z.object({ type: z.literal('fleet_pinned'), pin: z.record(z.string(), z.json()) }),
  z.object({ type: z.literal('fleet_cleared'), earlier: z.array(z.string()).default([]) }),
  z.object({
    type: z.literal('promotion_intended'),
    record: z.object({ expected: z.array(aliasHolderSchema) }),
  }),
  z.object({ type: z.literal('promoted'), record: z.object(promotionSchema.shape) }),
  z.object({ type: z.literal('rolled_back'), at: z.string(), record: z.object(reversalSchema.shape) }),
  z.object({ type: z.literal('finished'), at: z.string(), result: record }),
]);
type ChangedEvent = z.infer<typeof changedSchema>;

/** An event that an earlier version wrote, in a form of its own or in today's. */
export type EarlierEvent = ChangedEvent | Exclude<RunEvent, { type: ChangedEvent['type'] }>;

const changedTypes: ReadonlySet<string> = new Set(
  changedSchema.options.map(({ shape }): string => shape.type.value),
);
const sameSchemas = runEventSchema.options.filter(
  (option) => 'shape' in option && !changedTypes.has(option.shape.type.value),
);
export const earlierEventSchema = z.discriminatedUnion('type', [
  ...changedSchema.options,
  ...sameSchemas,
]) as z.ZodType<EarlierEvent>;

const LOCAL: FleetPin = { kind: 'local', data: {} };

/** Translates all earlier events of one run into today's. The events are given in order, from the first. */
export class EarlierEvents {
  #run: { readonly fleet: string; readonly target: RunTarget } | null = null;

  present(events: readonly EarlierEvent[]): RunEvent[] {
    return events.flatMap((event) => this.#present(event));
  }

  #present(event: EarlierEvent): RunEvent[] {
    switch (event.type) {
      case 'run_started':
        return this.#start(event);
      case 'planned':
        return [presentPlan(event)];
      case 'fleet_pinned':
        return [{ type: 'fleet_pinned', pin: { kind: 'auto-scaling', data: event.pin } }];
      case 'phase_finished':
        return finishedPhase(event, this.#only(event));
      case 'pass_opened':
        return [presentPass(event, this.#only(event).index)];
      case 'settled': {
        const counts = presentCounts(event.counts, this.#only(event).index);
        return [{ ...event, counts }];
      }
      case 'promotion_intended':
        return [{ type: event.type, index: this.#only(event).index, expected: event.record.expected }];
      case 'promoted':
        return [{ type: event.type, index: event.record.added.index, record: event.record }];
      case 'rolled_back':
        return [{ type: event.type, at: event.at, targets: [event.record] }];
      case 'finished':
        return [{ ...event, result: presentResult(event.result, this.#known(event)) }];
      default:
        return [event];
    }
  }

  #start({ alias, definition, definitionDigest, ...rest }: Earlier<'run_started'>): RunEvent[] {
    const index = `${alias}-${rest.run}`;
    const deadLetterIndex = `${index}-dead-letters`;
    const target = { definition, definitionDigest, alias, index, deadLetterIndex };
    this.#run = { fleet: rest.fleet, target };
    // Only a run on a group recorded what its workers are launched from.
    return [
      { ...rest, targets: [target] },
      { type: 'fleet_pinned', pin: LOCAL },
    ];
  }

  #only(event: EarlierEvent): RunTarget {
    return this.#known(event).target;
  }

  #known({ type }: EarlierEvent): { readonly fleet: string; readonly target: RunTarget } {
    if (this.#run === null)
      throw new Error(`it has the event ${type} before the event that says which run it is`);
    return this.#run;
  }
}

type Earlier<T extends ChangedEvent['type']> = Extract<ChangedEvent, { type: T }>;

export function presentPlan(event: Earlier<'planned'>): Extract<RunEvent, { type: 'planned' }> {
  return { ...event, keyKind: 'integer' };
}

function presentPass(
  { pass: number, numbers }: Earlier<'pass_opened'>,
  index: string,
): Extract<RunEvent, { type: 'pass_opened' }> {
  const common = { number, targets: [index], workers: 'fleet' } as const;
  return {
    type: 'pass_opened',
    pass:
      numbers === null
        ? { kind: 'main', reads: { kind: 'planned' }, ...common }
        : { kind: 're-reading', reads: { kind: 'ranges', numbers }, ...common },
  };
}
