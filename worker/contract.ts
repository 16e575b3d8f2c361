import { z } from 'zod';
import { isKeyText, KEY_FORMS } from '../definition/key/kinds.ts';

/**
 * The worker's HTTP contract: the one file of this room that others import.
 * Keys are texts on the wire, as their kind writes them (JSON numbers lose digits above 2^53).
 */

/** Raised when a change is not understood by the other side. */
export const CONTRACT_VERSION = 3;
export const DEFAULT_PORT = 8003;
/**
 * How Node is to be started for a worker. The data path makes little garbage, and a small young generation keeps it from
 * being kept: measured at full speed 155 MB of memory instead of 205 to 220 MB.
 */
export const WORKER_NODE_FLAGS = ['--max-semi-space-size=1'] as const;
/** Bodies above this are refused before they are read. */
export const MAX_BODY_BYTES = 64 * 1024;

export const HEADER_RUN = 'Reindex-Run';
export const HEADER_EPOCH = 'Reindex-Epoch';
/** On every answer of a worker: the `CONTRACT_VERSION` that it speaks. */
export const HEADER_CONTRACT = 'Reindex-Contract';

/**
 * The bearer token of every call but `GET /healthcheck` and `GET /alive`: what a header can carry, RFC 6750 section 2.1. With a line break at
 * its end no call would be let in.
 */
export const tokenSchema = z
  .string()
  .min(16, 'has at least 16 characters')
  .regex(/^[A-Za-z0-9._~+/-]+=*$/, 'has only letters, digits and . _ ~ + / -, no space and no line break');

/** The text of a key. Of which kind, the task's definition says: its texts are read again by that kind. */
const keyText = z.string().refine(isKeyText, { error: `a key is ${KEY_FORMS}` });

const identifier = z.string().min(1).max(255);
const bytes = z.int().min(1).max(Number.MAX_SAFE_INTEGER);
const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

/** `<digest of a definition>.<digest of its columns' types>`, see definition/digest.ts. */
const definitionDigest = z.string().regex(/^[0-9a-f]{16,64}\.[0-9a-f]{16,64}$/);

/** Targets of one task at most; each takes a share of the worker's memory and of what may be on its way. */
export const MAX_TARGETS = 16;

const bulkTargetSchema = z.strictObject({
  kind: z.literal('bulk'),
  /** Which rows the index takes (its `where`) and which of the reading's fields. Its source is that of the reading. */
  definition: identifier,
  definition_digest: definitionDigest,
  /** The concrete index, for the record and to check each item's `_index` against. */
  index: identifier,
  /** The pass's write alias: the only name that is written to. */
  write_alias: identifier,
  /** The write alias of the companion index for dead letters. */
  dead_letter_alias: identifier,
});

/** Where documents go, by kind. */
export const targetSchema = z.discriminatedUnion('kind', [bulkTargetSchema]);

const targetsSchema = z
  .array(targetSchema)
  .min(1, 'write one target at least: where the documents go')
  .max(MAX_TARGETS, `write ${MAX_TARGETS} targets at most, the others in another task`)
  .superRefine((targets, context) => {
    const places = new Map<string, string>();
    for (const [i, { index, write_alias, dead_letter_alias }] of targets.entries()) {
      for (const [field, name] of Object.entries({ index, write_alias, dead_letter_alias })) {
        // A write alias stands for its index alone, and dead letters of two targets have the same ids.
        const first = places.get(name);
        places.set(name, first ?? `targets.${i}.${field}`);
        if (first === undefined) continue;
        const message = `${name} is ${first} too: each target has names of its own`;
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
  /** What is read: the table, its joins and fields. Which rows and fields an index takes, its target says. */
  definition: identifier,
  definition_digest: definitionDigest,
  /** Several when one reading feeds several indexes. */
  targets: targetsSchema,
  /** First key of the range, null at the table's open end. */
  start_index: keyText.nullable(),
  /** The key before which the range ends, null at the table's open end. */
  end_index: keyText.nullable(),
  /** This task's share of what the whole run may have in flight to the cluster. */
  max_bytes_in_flight: bytes,
});

/** Moves the end of a running or waiting task down, so that the rest of its range can be given to another worker. */
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
  /** With 503: what cannot be reached. Why stands in the worker's log. Left out where all can be, and by older workers. */
  unreachable: z.array(dependency).optional(),
});

/** The answer of a process that answers, whatever else is amiss. */
export const aliveSchema = z.object({ status: z.literal('alive') });

export const drainAcceptedSchema = z.object({
  draining: z.literal(true),
  /** Tasks, running and waiting, that still go on to their end. */
  active_tasks: count,
});

/** What a task that ended without completing says of why. */
export const taskErrorSchema = z.object({
  /**
   * What the orchestrator does next: `retry` the rest elsewhere (charged to the range), or `stop` the run, for
   * no other try can mend it (a block, a missing alias, a permission, changed columns, equal keys).
   * `cancelled`: the task was told to end.
   */
  next: z.enum(['retry', 'stop', 'cancelled']),
  type: z.string(),
  message: z.string(),
});

/** Of every row that was read, what became of it at this target: `rows_read` is the sum of the four. */
const targetStatusSchema = z.object({
  index: z.string(),
  indexed: count,
  superseded: count,
  filtered: count,
  dead_letters: count,
});

/**
 * All counts cover exactly the rows up to `settled_through`, inclusive: what one target has settled beyond that is in no
 * count.
 */
export const taskStatusSchema = z.object({
  task_id: z.string(),
  active: z.boolean(),
  attempt: z.int(),
  /** The key before which the task ends now, null at the table's open end. Completion means: all rows below it are settled. */
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
  /** The dependency that the task waits for now; null while it moves. */
  waiting_for: dependency.nullable(),
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
