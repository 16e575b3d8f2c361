import { z } from 'zod';
import { isKeyText, KEY_FORMS } from '../definition/key/kinds.ts';

/**
 * The worker's HTTP contract. Other rooms import this file and no other file of this room.
 * On the wire keys are texts, in the form of their kind: JSON numbers lose digits above 2^53.
 */

/** Rises with each change that the other side does not understand. */
export const CONTRACT_VERSION = 4;
export const DEFAULT_PORT = 8003;
/**
 * Flags of Node for a worker. The data path makes little garbage, and a small young generation collects it soon. Measured at
 * full speed: 155 MB of memory instead of 205 to 220 MB.
 */
export const WORKER_NODE_FLAGS = ['--max-semi-space-size=1'] as const;
/** A worker refuses a larger body before it reads it. */
export const MAX_BODY_BYTES = 64 * 1024;

export const HEADER_RUN = 'Reindex-Run';
export const HEADER_EPOCH = 'Reindex-Epoch';
/** A header of every answer: the `CONTRACT_VERSION` of the worker. */
export const HEADER_CONTRACT = 'Reindex-Contract';

/**
 * The bearer token of every call but `GET /healthcheck` and `GET /alive`. It has only characters that a header can carry
 * (RFC 6750 section 2.1). With a line break at its end the worker would refuse every call.
 */
export const tokenSchema = z
  .string()
  .min(16, 'has at least 16 characters')
  .regex(/^[A-Za-z0-9._~+/-]+=*$/, 'has only letters, digits and . _ ~ + / -, no space and no line break');

/** The text of a key. The task's definition says its kind, and that kind parses the text again. */
const keyText = z.string().refine(isKeyText, { error: `a key is ${KEY_FORMS}` });

const identifier = z.string().min(1).max(255);
const bytes = z.int().min(1).max(Number.MAX_SAFE_INTEGER);
const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

/** `<digest of a definition>.<digest of its columns' types>`, see definition/digest.ts. */
const definitionDigest = z.string().regex(/^[0-9a-f]{16,64}\.[0-9a-f]{16,64}$/);

/** The most targets of one task. Each takes a share of the worker's memory and of its bytes in flight. */
export const MAX_TARGETS = 16;

const bulkTargetSchema = z.strictObject({
  kind: z.literal('bulk'),
  /** Says which rows the index takes (its `where`), and which fields of the reading. It has the source of the reading. */
  definition: identifier,
  definition_digest: definitionDigest,
  /** The concrete index. The worker compares it with each item's `_index`. */
  index: identifier,
  /** The pass's write alias. The worker writes to no other name. */
  write_alias: identifier,
  /** The write alias of the companion index for dead letters. */
  dead_letter_alias: identifier,
});

/** Where documents go, by kind. */
export const targetSchema = z.discriminatedUnion('kind', [bulkTargetSchema]);

const targetsSchema = z
  .array(targetSchema)
  .min(1, 'write at least one target, where the documents go')
  .max(MAX_TARGETS, `write at most ${MAX_TARGETS} targets, and the others in another task`)
  .superRefine((targets, context) => {
    const places = new Map<string, string>();
    for (const [i, { index, write_alias, dead_letter_alias }] of targets.entries()) {
      for (const [field, name] of Object.entries({ index, write_alias, dead_letter_alias })) {
        // A write alias belongs to one index. Dead letters of two targets have the same ids.
        const first = places.get(name);
        places.set(name, first ?? `targets.${i}.${field}`);
        if (first === undefined) continue;
        const message = `${name} is also ${first}; write other names for each target`;
        context.addIssue({ code: 'custom', path: [i, field], message });
      }
    }
  });

export const taskRequestSchema = z.strictObject({
  task_id: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,128}$/, 'letters, digits, dot, dash and underscore, at most 128'),
  run: identifier,
  range_id: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/),
  attempt: z.int().min(1).max(1_000_000),
  worker_id: identifier,
  /** The table, the joins and the fields that are read. Each target says which rows and fields its index takes. */
  definition: identifier,
  definition_digest: definitionDigest,
  /** Several when one reading feeds several indexes. */
  targets: targetsSchema,
  /** First key of the range, null at the table's open end. */
  start_index: keyText.nullable(),
  /** The key before which the range ends, null at the table's open end. */
  end_index: keyText.nullable(),
  /** Only rows that changed at this time or later are read, by the definition's `changed_at`. Absent: all rows are. */
  changed_since: z.iso.datetime({ offset: true }).optional(),
  /** This task's share of the run's bytes in flight to the cluster. */
  max_bytes_in_flight: bytes,
});

/** Moves the end of a running or waiting task down. Then another worker can get the rest of its range. */
export const taskEndSchema = z.strictObject({
  /** From this key on the task reads no row. */
  end_index: keyText,
});

export const taskAcceptedSchema = z.object({
  message: z.string(),
  task_id: z.string(),
  status_check: z.string(),
});

/** What a worker reads from and writes to. */
const dependency = z.enum(['database', 'cluster']);

export const healthSchema = z.object({
  status: z.enum(['ok', 'unavailable']),
  build: z.string(),
  worker_id: z.string(),
  draining: z.boolean(),
  /** What the worker cannot reach, with status 503. Its log says why. Absent if it reaches all, and in older workers. */
  unreachable: z.array(dependency).optional(),
});

/** The answer of a process that answers, whatever else is amiss. */
export const aliveSchema = z.object({ status: z.literal('alive') });

export const drainAcceptedSchema = z.object({
  draining: z.literal(true),
  /** How many tasks still run or wait. They go on to their end. */
  active_tasks: count,
});

/** Why a task ended before it was complete. */
export const taskErrorSchema = z.object({
  /**
   * What the orchestrator does next. `retry`: it gives the rest to another worker and counts an attempt of the range.
   * `stop`: it stops the run, because another try cannot help (a block, a missing alias, a permission, changed columns,
   * equal keys). `cancelled`: a call ended the task.
   */
  next: z.enum(['retry', 'stop', 'cancelled']),
  type: z.string(),
  message: z.string(),
});

/** The outcomes of rows at this target. `rows_read` is the sum of the four. */
const targetStatusSchema = z.object({
  index: z.string(),
  indexed: count,
  superseded: count,
  filtered: count,
  dead_letters: count,
});

/**
 * All counts cover exactly the rows up to `settled_through`, inclusive. Rows behind it are in no count, also when one target
 * has settled them.
 */
export const taskStatusSchema = z.object({
  task_id: z.string(),
  active: z.boolean(),
  attempt: z.int(),
  /** The task now ends before this key. Null: at the table's open end. A complete task has settled all rows below it. */
  end_index: keyText.nullable(),
  /** 0-100 over the keys up to the present end; not 100 before completion. */
  progress: z.number(),
  settled_through: keyText.nullable(),
  rows_read: count,
  /** Rows that no target takes. */
  filtered: count,
  /** In the order of the request. */
  targets: z.array(targetStatusSchema),
  bytes_sent: count,
  retries: count,
  /** The dependency that the task waits for now. Null: it waits for none. */
  waiting_for: dependency.nullable(),
  /** Why it waits: the last refusal, with its type and a key, and no value of a row. Absent in older workers. */
  waiting_reason: z.string().nullable().optional(),
  start_time: z.iso.datetime(),
  finish_time: z.iso.datetime().nullable(),
  error: taskErrorSchema.nullable(),
});

export const taskListSchema = z.object({ tasks: z.array(taskStatusSchema) });

export const errorBodySchema = z.object({ error: z.string(), field: z.string().optional() });

export type TaskRequest = z.infer<typeof taskRequestSchema>;
export type TaskTarget = z.infer<typeof targetSchema>;
export type BulkTargetSpec = z.infer<typeof bulkTargetSchema>;
export type TaskStatus = z.infer<typeof taskStatusSchema>;
export type TaskError = z.infer<typeof taskErrorSchema>;
export type DrainAccepted = z.infer<typeof drainAcceptedSchema>;
export type Dependency = z.infer<typeof dependency>;
export type Health = z.infer<typeof healthSchema>;
export type Alive = z.infer<typeof aliveSchema>;
