import { z } from 'zod';

/** What a keeper must know of a lock to go on with it. */
export const keptLockSchema = z.strictObject({
  journal: z.strictObject({
    bucket: z.string(),
    prefix: z.string(),
    fleet: z.string(),
    region: z.string(),
    profile: z.string().nullable(),
    leaseMs: z.number(),
  }),
  /** Of the lock's object. */
  claim: z.strictObject({ epoch: z.int(), nonce: z.string() }),
});
export type KeptLock = z.infer<typeof keptLockSchema>;

/** What a keeper says when it listens. */
export const READY = 'ready';
