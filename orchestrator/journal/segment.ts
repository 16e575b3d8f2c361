import { z } from 'zod';
import { runEventSchema } from '../reconcile/events.ts';
import { earlierEventSchema } from './earlier-versions.ts';
import { snapshotSchema } from './snapshot.ts';
import type { JournalStore } from './store.ts';
import { parseObject } from './store-failure.ts';

/** Rises when the version before cannot read what this one writes. */
export const JOURNAL_SCHEMA = 5;
/** The schemas of today's form. Schema 4 only lacks fields that may be absent. */
const PRESENT_SCHEMAS = [4, JOURNAL_SCHEMA] as const;
/** The schemas whose events `earlier-versions.ts` knows. */
const EARLIER_SCHEMAS = [2, 3] as const;

const head = { epoch: z.int(), nonce: z.string(), at: z.iso.datetime() };

const segmentSchema = z.discriminatedUnion('schema', [
  z.strictObject({
    schema: z.literal([...PRESENT_SCHEMAS]),
    ...head,
    events: z.array(runEventSchema),
    snapshot: snapshotSchema.optional(),
  }),
  z.strictObject({
    schema: z.literal([...EARLIER_SCHEMAS]),
    ...head,
    events: z.array(earlierEventSchema),
    /** Not read, because all events before it are there. */
    snapshot: z.unknown().optional(),
  }),
]);

/** One object of a run's journal. With an earlier `schema`, its events mean what that version meant. */
export type Segment = z.infer<typeof segmentSchema>;
export type PresentSegment = Extract<Segment, { schema: (typeof PRESENT_SCHEMAS)[number] }>;

/** Whether a segment has today's form. */
export function isPresent(segment: Segment): segment is PresentSegment {
  return PRESENT_SCHEMAS.some((schema) => schema === segment.schema);
}

/** The text of a segment. It writes nothing that could not be read again: such a fault is a fault of this program. */
export function segmentText(segment: PresentSegment): string {
  const checked = segmentSchema.safeParse(segment);
  if (checked.success) return JSON.stringify(segment);
  const [first] = checked.error.issues;
  throw new Error(
    `a segment of the journal would be invalid, which is a fault of this program: ${first?.path.join('.')}: ${first?.message}`,
  );
}

export async function readSegment(store: JournalStore, name: string): Promise<Segment | null> {
  const body = await store.read(name);
  return body === null ? null : parseSegment(store, name, body);
}

export function parseSegment(store: Pick<JournalStore, 'location'>, name: string, body: string): Segment {
  const object = { location: store.location, name, kind: 'journal segment', newest: JOURNAL_SCHEMA };
  return parseObject(segmentSchema, object, body);
}
