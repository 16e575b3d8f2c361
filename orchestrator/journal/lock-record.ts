import { z } from 'zod';
import { holderSchema } from './holder.ts';
import { numberedName } from './numbered.ts';
import type { JournalStore } from './store.ts';
import { parseObject } from './store-failure.ts';

/** The folder of a fleet's locks, numbered by epoch. */
export const LOCKS = 'locks';

export const LOCK_SCHEMA = 2;

const lockRecordSchema = z.strictObject({
  /** Schema 1 has no run key of the holder. */
  schema: z.literal([1, LOCK_SCHEMA]),
  epoch: z.int(),
  nonce: z.string(),
  /** Rises with every renewal. A contender watches it. Times are for people, because clocks differ. */
  beat: z.int(),
  /** When the holder last renewed it, by the holder's clock. Earlier versions did not write it. */
  renewedAt: z.iso.datetime().optional(),
  released: z.boolean(),
  holder: holderSchema,
});
export type LockRecord = z.infer<typeof lockRecordSchema>;

/** The lock of an epoch. Null when there is none. */
export async function readLock(store: JournalStore, epoch: number): Promise<LockRecord | null> {
  if (epoch === 0) return null;
  const name = numberedName(LOCKS, epoch);
  const body = await store.read(name);
  if (body === null) return null;
  return parseObject(
    lockRecordSchema,
    { location: store.location, name, kind: 'lock', newest: LOCK_SCHEMA },
    body,
  );
}
